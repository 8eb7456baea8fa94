#include "api/log_works.hpp"

#include <psa/crypto.h>

#include <algorithm>

namespace ota {
namespace {

constexpr uint32_t kStack = build::kCloudWatch ? 8192 : 4096;  // bytes; TLS is most of it
constexpr Millis kFlushTime = 2000;
constexpr int kLinesAtOnce = 16;

LogLevel level_of(ota_log_level_t level) {
    return level == OTA_LOG_DEFAULT ? LogLevel::kInfo : static_cast<LogLevel>(level - OTA_LOG_OFF);
}

uint32_t random_number() {
    uint32_t out = 0;
    (void)psa_generate_random(reinterpret_cast<uint8_t*>(&out), sizeof out);
    return out;
}

LogFile::Limits limits_of(const ota_log_sd_card_t& config) {
    LogFile::Limits out;
    if (config.max_file_size != 0) out.file_size = config.max_file_size;
    if (config.max_files != 0) out.files = config.max_files;
    return out;
}

CloudWatch::Config cloud_config_of(const ota_log_cloudwatch_t& config) {
    CloudWatch::Config out;
    out.endpoint = config.endpoint;
    out.region = config.region;
    out.group = config.log_group;
    out.stream = config.log_stream == nullptr || *config.log_stream == '\0' ? config.thing_name
                                                                            : config.log_stream;
    out.credentials_endpoint = config.credentials_endpoint;
    out.role_alias = config.role_alias;
    out.thing = config.thing_name;
    out.tls.ca_pem = config.root_ca_pem;
    out.tls.client_cert_pem = config.device_cert_pem;
    out.tls.client_key_pem = config.device_key_pem;
    return out;
}

}  // namespace

// ---------------------------------------------------------------- the slow sinks

void SlowLog::open_file(LogFile::Limits limits, LogLevel level) {
    for (auto& file : files_) {
        file.emplace(*platform_.logs.sd_card, platform_.clock, limits);
        has_file_ = true;
    }
    file_level_ = level;
}

void SlowLog::open_cloud(const CloudWatch::Config& config, LogLevel level) {
    cloud_config_ = config;
    cloud_level_ = level;
}

void SlowLog::open_spool(LogStore& store) {
    for (auto& spool : spools_) spool.emplace(store, platform_.clock);
}

Status SlowLog::start(const TaskConfig& engine, const TimeFloor& floor) {
    if (!is_wanted()) return {};
    for (auto& cloud : clouds_) {
        if (cloud_config_.endpoint == nullptr || cloud) continue;
        cloud.emplace(*platform_.logs.http, platform_.clock, floor, cloud_config_);
        cloud->seed(seed_);
    }
    stop_asked_ = flush_asked_ = false;
    TaskConfig config = engine;
    config.priority = std::max(engine.priority - 1, 1);
    config.stack_size = kStack;
    OTA_TRY(platform_.logs.task->start(
        config, [](void* self) { static_cast<SlowLog*>(self)->run(); }, this));
    is_running_ = true;
    return {};
}

void SlowLog::stop() {
    if (!is_running_) return;
    flush();
    stop_asked_ = true;
    platform_.logs.task->join();
    is_running_ = false;
}

void SlowLog::flush() {
    if (!is_running_) return;
    flush_asked_ = true;
    const Millis begun = platform_.clock.now();
    while (flush_asked_ && platform_.clock.now() - begun < kFlushTime) platform_.task.pause();
}

void SlowLog::run() {
    while (!stop_asked_) {
        step();
        platform_.logs.task->pause();
    }
    // Afterwards the card may be unmounted, and nothing is under way.
    for (auto& file : files_) {
        if (file) file->close();
    }
    for (auto& cloud : clouds_) {
        if (cloud) cloud->close();
    }
    for (auto& spool : spools_) {
        if (spool) spool->close();
    }
}

// Nothing is to be had from waiting.
bool SlowLog::is_settled() const {
    return std::all_of(clouds_.begin(), clouds_.end(), [](const std::optional<CloudWatch>& cloud) {
        return !cloud || cloud->is_idle() || cloud->is_held_off();
    });
}

void SlowLog::give() {
    for (auto& file : files_) {
        if (!file) continue;
        file->add_lost(held_.lost);
        if (held_.record.level <= file_level_) file->take(held_.record);
    }
    for (auto& cloud : clouds_) {
        if (!cloud) continue;
        cloud->add_lost(held_.lost);
        const bool is_wanted = held_.record.is_metric ? cloud_level_ != LogLevel::kOff
                                                      : held_.record.level <= cloud_level_;
        if (is_wanted) cloud->take(held_.record);
    }
}

// True when the queue is empty.
bool SlowLog::drain() {
    for (int i = 0; i < kLinesAtOnce; ++i) {
        if (!queue_.pop(held_)) return true;
        give();
    }
    return false;
}

void SlowLog::step() {
    const bool is_asked = flush_asked_;
    const bool is_last = drain() && is_asked;
    for (auto& file : files_) {
        if (file && is_last) file->flush();
        if (file) file->step();
    }
    step_spool(is_last);  // before what may take its time
    for (auto& cloud : clouds_) {
        if (cloud && is_last) cloud->hurry();
        if (cloud) cloud->step();
    }
    if (is_last && is_settled()) {
        step_spool(true);
        flush_asked_ = false;
    }
}

void SlowLog::step_spool(bool is_last) {
    for (auto& spool : spools_) {
        if (!spool) continue;
        CloudWatch& cloud = **clouds_.begin();
        spool->step(cloud.waiting(), cloud.offset());
        if (is_last) spool->flush(cloud.waiting(), cloud.offset());
    }
}

// ---------------------------------------------------------------- all of them

LogWorks::LogWorks(const Platform& platform, const TimeFloor& floor)
    : platform_(platform),
      log_(platform.clock, floor, random_number()),
      events_(log_, platform.console_progress) {
    if (platform.console != nullptr) console_ = log_.add_sink(*platform.console, LogLevel::kInfo);
    for (auto& slow : slow_) slow.emplace(platform, random_number());
}

void LogWorks::FlushingRestart::restart() {
    for (auto& slow : works_.slow_) slow->flush();
    works_.platform_.restart.restart();
}

void LogWorks::add_queue() {
    for (auto& slow : slow_) {
        if (!has_queue_) (void)log_.add_sink(slow->queue(), LogLevel::kDebug);
    }
    has_queue_ = true;
}

esp_err_t LogWorks::configure(const ota_log_config_t& config) {
    const bool wants_file = config.sd_card.directory != nullptr;
    const bool wants_cloud = config.cloudwatch.endpoint != nullptr;
    const SlowLogs& logs = platform_.logs;
    if (has_queue_) return ESP_ERR_INVALID_STATE;
    const bool has_file = build::kSdLog && logs.task != nullptr && logs.sd_card != nullptr;
    const bool has_cloud = build::kCloudWatch && logs.task != nullptr && logs.http != nullptr;
    if ((wants_file && !has_file) || (wants_cloud && !has_cloud)) return ESP_ERR_NOT_SUPPORTED;
    if (wants_file && !logs.sd_card->set_directory(config.sd_card.directory)) {
        return ESP_ERR_INVALID_ARG;
    }
    FixedString<kMaxConfiguredPath> spool(wants_file ? config.sd_card.directory : "");
    const bool has_spool = wants_file && wants_cloud && logs.spool != nullptr;
    if (has_spool && !(spool.try_append("/cloud") && logs.spool->set_directory(spool.view()))) {
        return ESP_ERR_INVALID_ARG;
    }
    if (console_) log_.set_level(*console_, level_of(config.console_level));
    for (auto& slow : slow_) {
        file_level_ = level_of(config.sd_card.level);
        if (wants_file) slow->open_file(limits_of(config.sd_card), file_level_);
        cloud_level_ = level_of(config.cloudwatch.level);
        if (wants_cloud) slow->open_cloud(cloud_config_of(config.cloudwatch), cloud_level_);
        if (has_spool) slow->open_spool(*logs.spool);
    }
    if (wants_file || wants_cloud) add_queue();
    const char* metrics = config.cloudwatch.metrics_namespace;
    if (wants_cloud && metrics != nullptr)
        metrics_.set(log_, metrics, config.cloudwatch.thing_name);
    return ESP_OK;
}

void LogWorks::on_settings(const RemoteSettings& settings) {
    for (auto& slow : slow_) {
        slow->set_file_level(settings.log_level.value_or(file_level_));
        slow->set_cloud_level(settings.log_level.value_or(cloud_level_));
    }
}

void LogWorks::on_refused_setting(std::string_view name, const char* why) {
    log_.write(LogLevel::kWarning, "settings", "{} is not taken: {}", name, why);
}

bool LogWorks::set_level(ota_log_sink_t sink, ota_log_level_t level) {
    if (sink == OTA_LOG_SINK_CONSOLE) {
        if (console_) log_.set_level(*console_, level_of(level));
        return console_.has_value();
    }
    for (auto& slow : slow_) {
        if (sink == OTA_LOG_SINK_SD_CARD) {
            file_level_ = level_of(level);
            slow->set_file_level(file_level_);
            return slow->has_file();
        }
        cloud_level_ = level_of(level);
        slow->set_cloud_level(cloud_level_);
        return slow->has_cloud();
    }
    return false;
}

Status LogWorks::start(const TaskConfig& engine, const TimeFloor& floor) {
    for (auto& slow : slow_) OTA_TRY(slow->start(engine, floor));
    return {};
}

void LogWorks::stop() {
    for (auto& slow : slow_) slow->stop();
}

}  // namespace ota
