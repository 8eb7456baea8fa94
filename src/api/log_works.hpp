#pragma once

#include "api/platform.hpp"
#include "observe/cloudwatch.hpp"
#include "observe/event_log.hpp"
#include "observe/log_file.hpp"
#include "observe/log_queue.hpp"
#include "observe/log_spool.hpp"
#include "observe/metrics_log.hpp"
#include "ota_manager.h"

namespace ota {

// The sinks that may wait, in a task of their own: neither a card nor a server holds up an update.
class SlowLog {
  public:
    SlowLog(const Platform& platform, uint32_t seed) : platform_(platform), seed_(seed) {}
    ~SlowLog() { stop(); }
    SlowLog(const SlowLog&) = delete;
    SlowLog& operator=(const SlowLog&) = delete;

    LogSink& queue() { return queue_; }
    void open_file(LogFile::Limits limits, LogLevel level);
    // floor: at the task's start.
    void open_cloud(const CloudWatch::Config& config, LogLevel level);
    bool has_file() const { return has_file_; }
    bool has_cloud() const { return cloud_config_.endpoint != nullptr; }
    bool is_wanted() const { return has_file() || has_cloud(); }
    // After the two: lines that wait for the cloud survive a loss of power.
    void open_spool(LogStore& store);
    // Any context.
    void set_file_level(LogLevel level) { file_level_ = level; }
    void set_cloud_level(LogLevel level) { cloud_level_ = level; }

    Status start(const TaskConfig& engine, const TimeFloor& floor);
    void stop();
    // Lets the sinks get rid of what waits; for two seconds at most. Engine context.
    void flush();
    // One round of the task.
    void step();

  private:
    void run();
    bool is_settled() const;
    bool drain();
    void give();
    void step_spool(bool is_last);

    const Platform& platform_;
    const uint32_t seed_;
    LogQueue queue_;
    LogQueue::Held held_;
    // Without an element in a build that has no such sink; empty where nobody wants it.
    std::array<std::optional<LogFile>, build::kSdLog ? 1 : 0> files_;
    std::array<std::optional<CloudWatch>, build::kCloudWatch ? 1 : 0> clouds_;
    std::array<std::optional<LogSpool>, build::kLogSpool ? 1 : 0> spools_;  // with both
    bool has_file_ = false;
    CloudWatch::Config cloud_config_;
    std::atomic<LogLevel> file_level_{LogLevel::kOff};
    std::atomic<LogLevel> cloud_level_{LogLevel::kOff};
    std::atomic<bool> flush_asked_{false};
    std::atomic<bool> stop_asked_{false};
    std::atomic<bool> is_running_{false};  // the engine may restart at once
};

// Everything about the log between init and deinit.
class LogWorks final : public SettingsSink {
  public:
    LogWorks(const Platform& platform, const TimeFloor& floor);

    EventSink& events() { return events_; }
    EventSink& metrics() { return metrics_; }
    // In front of the platform's own: what was logged last reaches its sinks.
    Restart& restart() { return restart_; }

    // Checked by check_log. kUnavailable: this platform has no such sink.
    esp_err_t configure(const ota_log_config_t& config);
    // The level of card and cloud, as the owner wants it; or as it was configured.
    void on_settings(const RemoteSettings& settings) override;
    void on_refused_setting(std::string_view name, const char* why) override;
    // Any context. False: there is no such sink.
    bool set_level(ota_log_sink_t sink, ota_log_level_t level);
    Status start(const TaskConfig& engine, const TimeFloor& floor);
    void stop();

  private:
    class FlushingRestart final : public Restart {
      public:
        explicit FlushingRestart(LogWorks& works) : works_(works) {}
        void restart() override;

      private:
        LogWorks& works_;
    };
    void add_queue();

    const Platform& platform_;
    Log log_;
    EventLog events_;
    MetricsLog metrics_;
    FlushingRestart restart_{*this};
    std::array<std::optional<SlowLog>, build::kLogTask ? 1 : 0> slow_;
    std::optional<size_t> console_;  // numbers of sinks
    bool has_queue_ = false;
    // As configured, or set since.
    std::atomic<LogLevel> file_level_{LogLevel::kOff};
    std::atomic<LogLevel> cloud_level_{LogLevel::kOff};
};

}  // namespace ota
