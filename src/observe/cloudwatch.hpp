// The log in Amazon CloudWatch: batches of lines, signed with credentials that the device's
// certificate gets (CloudWatch Logs API reference, PutLogEvents).
#pragma once

#include "observe/cloudwatch_answer.hpp"
#include "observe/http_exchange.hpp"
#include "observe/log_batch.hpp"
#include "observe/role_credentials.hpp"
#include "ports/backoff.hpp"

namespace ota {

// Context of the log's task. Nothing here is asked by an update, and nothing waits: step() does
// what can be done at once. Lines wait in memory until the server has taken them; a power loss
// takes those that wait, unless a LogSpool keeps them.
class CloudWatch {
  public:
    // NUL-terminated; they stay the caller's.
    struct Config {
        const char* endpoint = nullptr;  // host, or host:port, of CloudWatch Logs
        const char* region = nullptr;
        const char* group = nullptr;
        const char* stream = nullptr;
        const char* credentials_endpoint = nullptr;  // of the credentials provider, likewise
        const char* role_alias = nullptr;
        const char* thing = nullptr;
        HttpTls tls;  // the device's certificate and key, for the credentials provider alone
    };
    static constexpr Millis kFlushAfter = 60000;
    static constexpr Millis kLeastGap = 5000;           // between two batches
    static constexpr Millis kWhileForbidden = 3600000;  // until somebody has changed the policy

    CloudWatch(HttpClient& client, Clock& clock, TimeFloor floor, const Config& config);

    void take(const LogRecord& record);
    void add_lost(uint32_t lines) { batch_.add_lost(lines); }
    void step();
    // Nothing is under way any more; what waits stays.
    void close();
    // Sends what waits without regard to the gap; for the end of the task.
    void hurry() {
        is_urgent_ = !batch_.empty();
        if (trouble_.ok()) again_at_ = 0;
    }
    void seed(uint32_t value) { backoff_.seed(value); }

    // Has everything been taken by the server, or counted as lost?
    bool is_idle() const { return phase_ == Phase::kRest && batch_.empty(); }
    // Did the last try fail, so that the next one is later?
    bool is_held_off() const { return phase_ == Phase::kRest && !trouble_.ok(); }
    // What waits, and what makes the device's time that of day: ms, 0 = not known.
    LogBatch& waiting() { return batch_; }
    int64_t offset() const;
    // Since the last line that said so.
    uint32_t lost() const { return batch_.lost(); }
    // Why the last request was of no use; ok: it was.
    Status trouble() const { return trouble_; }

  private:
    enum class Phase : uint8_t { kRest, kCredentials, kPut, kCreateStream, kCreateGroup };
    bool is_due() const;
    void begin();
    Status ask_credentials();
    Status put();
    Status create(const char* action, bool with_stream);
    Status post(const char* action, std::span<const Bytes> body);
    void done(Status outcome);
    void fail(Status why);
    void took_credentials();
    void took_put(LogFault fault);
    void took_creation(Phase phase, LogFault fault);
    void split();
    void count_rejected();
    void renew(LogFault fault);
    void rest(Millis wait);
    void next(Status begun, Phase phase);
    LogFault fault_of_answer();
    UnixTime now() const { return (offset_ + static_cast<int64_t>(clock_.now())) / 1000; }
    void learn_time();

    HttpExchange exchange_;
    Clock& clock_;
    const TimeFloor floor_;
    const Config config_;
    LogBatch batch_;
    RoleCredentials credentials_;
    UnixTime credentials_since_ = 0;
    int64_t offset_ = 0;  // of the server's time from the device's, ms; 0: not known
    Phase phase_ = Phase::kRest;
    Millis again_at_ = 0;
    bool is_urgent_ = false;
    bool has_renewed_ = false;  // for this batch
    bool has_created_ = false;  // likewise: the stream
    bool has_group_asked_ = false;
    size_t most_ = SIZE_MAX;  // events in a batch
    Status trouble_;
    Backoff backoff_{1000, 300000};
    FixedString<128> token_;  // of an older service
    FixedString<640> head_;   // of the request's body
};

}  // namespace ota
