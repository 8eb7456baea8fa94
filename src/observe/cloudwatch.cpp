#include "observe/cloudwatch.hpp"

#include <algorithm>

#include "observe/log_text.hpp"
#include "wire/calendar.hpp"
#include "wire/json_writer.hpp"
#include "wire/sigv4.hpp"

namespace ota {

CloudWatch::CloudWatch(HttpClient& client, Clock& clock, TimeFloor floor, const Config& config)
    : exchange_(client, clock), clock_(clock), floor_(floor), config_(config) {}

void CloudWatch::take(const LogRecord& record) {
    is_urgent_ = is_urgent_ || record.level == LogLevel::kError;
    batch_.add(record);
}

void CloudWatch::close() {
    exchange_.close();
    batch_.unseal();
    phase_ = Phase::kRest;
}

// The server's word, or that of a clock that somebody has set.
int64_t CloudWatch::offset() const {
    const UnixTime wall = clock_.wall();
    if (offset_ != 0 || !floor_.is_set(wall)) return offset_;
    return wall * 1000 - static_cast<int64_t>(clock_.now());
}

bool CloudWatch::is_due() const {
    if (batch_.empty() || clock_.now() < again_at_) return false;
    const bool is_much = batch_.size() >= build::kLogBatch / 2;
    return is_much || is_urgent_ || clock_.now() - batch_.since() >= kFlushAfter;
}

void CloudWatch::step() {
    if (phase_ == Phase::kRest) {
        if (is_due()) begin();
        return;
    }
    const Status now = exchange_.step();
    if (!now.is(Code::kTryAgain)) done(now);
}

void CloudWatch::begin() {
    has_renewed_ = has_created_ = has_group_asked_ = false;
    if (credentials_.are_stale(now(), credentials_since_)) {
        return next(ask_credentials(), Phase::kCredentials);
    }
    next(put(), Phase::kPut);
}

void CloudWatch::next(Status begun, Phase phase) {
    phase_ = phase;
    if (!begun.ok()) fail(begun);
}

Status CloudWatch::ask_credentials() {
    FixedString<480> url("https://");
    const bool fits = url.try_append(config_.credentials_endpoint) &&
                      url.try_append("/role-aliases/") && url.try_append(config_.role_alias) &&
                      url.try_append("/credentials");
    if (!fits) return {Code::kNoSpace, Origin::kSource};
    const std::array<HttpField, 1> fields = {HttpField{"x-amzn-iot-thingname", "", config_.thing}};
    HttpTls tls = config_.tls;
    tls.judged_at = floor_.judge_at(clock_.wall());
    return exchange_.start({url.c_str(), fields, tls, false, {}});
}

Status CloudWatch::put() {
    batch_.seal(clock_.now(), offset_, most_);
    if (batch_.sealed_count() == 0) return {Code::kEndOfData, Origin::kSource};
    JsonWriter head(head_);
    head.text("logGroupName", config_.group);
    head.text("logStreamName", config_.stream);
    if (!token_.empty()) head.text("sequenceToken", token_.view());
    head.list("logEvents");
    const std::array<Bytes, 3> body = {as_bytes(head_.view()), as_bytes(batch_.sealed()),
                                       as_bytes("]}")};
    return post("PutLogEvents", body);
}

Status CloudWatch::create(const char* action, bool with_stream) {
    JsonWriter head(head_);
    head.text("logGroupName", config_.group);
    if (with_stream) head.text("logStreamName", config_.stream);
    head.end();
    const std::array<Bytes, 1> body = {as_bytes(head_.view())};
    return post(action, body);
}

Status CloudWatch::post(const char* action, std::span<const Bytes> body) {
    FixedString<300> url("https://");
    FixedString<64> target("Logs_20140328.");
    if (!url.try_append(config_.endpoint) || !url.try_append("/")) {
        return {Code::kNoSpace, Origin::kSource};
    }
    target.append(action);
    const BasicTimeText date = basic_time_text(now());
    const std::array<SigV4Field, 5> fields = {
        SigV4Field{"Content-Type", "application/x-amz-json-1.1"},
        SigV4Field{"Host", config_.endpoint}, SigV4Field{"X-Amz-Date", date.view()},
        SigV4Field{"X-Amz-Security-Token", credentials_.token.view()},
        SigV4Field{"X-Amz-Target", target.view()}};
    SigV4Text authorization;
    OTA_TRY(sign_sigv4({"POST", "/", "", fields, body}, {date.view(), config_.region, "logs"},
                       {credentials_.id.view(), credentials_.secret.view()}, authorization));
    std::array<HttpField, fields.size()> sent;  // Host is the client's affair
    size_t count = 0;
    for (const SigV4Field& field : fields) {
        if (field.name != "Host") sent[count++] = {field.name, "", field.value};
    }
    sent[count] = {"Authorization", "", authorization.view()};
    HttpTls tls;
    tls.ca_pem = config_.tls.ca_pem;
    tls.judged_at = floor_.judge_at(clock_.wall());
    return exchange_.start({url.c_str(), sent, tls, false, body});
}

// What a server says that has proved who it is. It tells whole seconds: within their error lines
// keep their order over batches.
void CloudWatch::learn_time() {
    constexpr int64_t kError = 2000;  // ms
    if (!exchange_.date()) return;
    const int64_t offset = *exchange_.date() * 1000 - static_cast<int64_t>(clock_.now());
    const bool is_same = offset - offset_ <= kError && offset_ - offset <= kError;
    if (!is_same) offset_ = offset;
}

void CloudWatch::fail(Status why) {
    close();
    trouble_ = why;
    rest(backoff_.next());
}

void CloudWatch::done(Status outcome) {
    if (!outcome.ok()) return fail(outcome);
    const Phase phase = phase_;
    phase_ = Phase::kRest;
    trouble_ = {};
    learn_time();
    if (phase == Phase::kCredentials) {
        took_credentials();
    } else if (phase == Phase::kPut) {
        took_put(fault_of_answer());
    } else {
        took_creation(phase, fault_of_answer());
    }
}

void CloudWatch::rest(Millis wait) {
    again_at_ = clock_.now() + wait;
}

void CloudWatch::took_credentials() {
    trouble_ = exchange_.status() == 200
                   ? parse_role_credentials(exchange_.answer(), credentials_)
                   : Status{Code::kUnauthenticated, Origin::kSource, Detail::kNone};
    const bool is_refused = exchange_.status() == 403 || exchange_.status() == 404;
    exchange_.close();  // wipes what it held
    // Without a Date nothing can be signed.
    if (trouble_.ok() && offset_ == 0) {
        trouble_ = {Code::kMalformed, Origin::kSource};
        credentials_.clear();
    }
    if (!trouble_.ok()) return rest(is_refused ? kWhileForbidden : backoff_.next());
    credentials_since_ = now();
    next(put(), Phase::kPut);
}

LogFault CloudWatch::fault_of_answer() {
    LogRefusal refusal;
    parse_log_refusal(exchange_.status(), exchange_.answer(), refusal);
    if (!refusal.token.empty()) token_ = refusal.token;
    return refusal.fault;
}

void CloudWatch::took_put(LogFault fault) {
    const bool is_taken = fault == LogFault::kNone || fault == LogFault::kAccepted;
    trouble_ = is_taken ? kOkStatus : Status{Code::kRefused, Origin::kSource, Detail::kNone};
    switch (fault) {
        case LogFault::kNone:
            count_rejected();
            [[fallthrough]];
        case LogFault::kAccepted:
            batch_.drop();
            is_urgent_ = false;
            most_ = SIZE_MAX;
            backoff_.reset();
            return rest(kLeastGap);
        case LogFault::kNoStream:
            batch_.unseal();
            if (has_created_) return rest(backoff_.next());
            has_created_ = true;
            return next(create("CreateLogStream", true), Phase::kCreateStream);
        case LogFault::kToken:
            batch_.unseal();
            return rest(backoff_.next());
        case LogFault::kBatch:
            return split();
        default:
            batch_.unseal();
            return renew(fault);
    }
}

// Half of it, and half of that: until the event is alone that is not taken.
void CloudWatch::split() {
    const size_t count = batch_.sealed_count();
    most_ = std::max<size_t>(count / 2, 1);
    if (count == 1) {
        batch_.drop();
        batch_.add_lost(1);
    } else {
        batch_.unseal();
    }
    rest(backoff_.next());
}

void CloudWatch::took_creation(Phase phase, LogFault fault) {
    const bool is_there = fault == LogFault::kNone || fault == LogFault::kExists;
    if (is_there && phase == Phase::kCreateGroup) {
        return next(create("CreateLogStream", true), Phase::kCreateStream);
    }
    if (is_there) return next(put(), Phase::kPut);
    if (fault == LogFault::kNoStream && phase == Phase::kCreateStream && !has_group_asked_) {
        has_group_asked_ = true;
        return next(create("CreateLogGroup", false), Phase::kCreateGroup);
    }
    trouble_ = Status{Code::kRefused, Origin::kSource, Detail::kNone};
    renew(fault);
}

// Of what was not taken: new credentials once, and else later.
void CloudWatch::renew(LogFault fault) {
    if (fault == LogFault::kForbidden) return rest(kWhileForbidden);
    if (fault != LogFault::kCredentials || has_renewed_) return rest(backoff_.next());
    has_renewed_ = true;
    credentials_.clear();
    next(ask_credentials(), Phase::kCredentials);
}

// The service takes a batch without the events that are too old or too new for it.
void CloudWatch::count_rejected() {
    batch_.add_lost(count_rejected_events(exchange_.answer(), batch_.sealed_count()));
}

}  // namespace ota
