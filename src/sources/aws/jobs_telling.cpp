// What the cloud is told of a job.
#include <cstdio>

#include "sources/aws/jobs_channel.hpp"

namespace ota {
namespace {

using End = JobRecord::End;

// Until the cloud takes it that the device is lost: the longest trial by default, and some more.
constexpr unsigned kStepTimeoutMinutes = 60;

const char* status_name(End end) {
    switch (end) {
        case End::kSucceeded:
            return "SUCCEEDED";
        case End::kFailed:
            return "FAILED";
        case End::kRejected:
            return "REJECTED";
    }
    return "FAILED";
}

}  // namespace

void JobsChannel::tell_owed() {
    const JobRecord& record = log_.job();
    asked_ = Asked::kUpdate;
    send_update(status_name(record.end), "reason", record.reason.view());
}

void JobsChannel::tell_stage(std::string_view stage, std::string_view detail) {
    if (!link_.is_up()) return;
    told_at_ = clock_.now();
    asked_ = Asked::kUpdate;
    std::array<char, 96> value{};
    (void)std::snprintf(value.data(), value.size(), "%.*s %.*s", static_cast<int>(stage.size()),
                        stage.data(), static_cast<int>(detail.size()), detail.data());
    send_update("IN_PROGRESS", "stage", value.data());
}

// statusDetails may not hold control characters, nor be empty (botocore, iot-jobs-data).
void JobsChannel::send_update(std::string_view status, const char* name, std::string_view value) {
    const JobRecord& record = log_.job();
    suffix_.assign("jobs/");
    suffix_.append(record.id.view());
    suffix_.append("/update");
    JsonWriter body(body_);
    body.text("status", status);
    body.object("statusDetails");
    body.text(name, value.empty() ? "-" : value);
    body.end();
    body.number("executionNumber", record.execution);
    body.number("stepTimeoutInMinutes", kStepTimeoutMinutes);
    if (version_ != 0) body.number("expectedVersion", version_);
    send(body);
}

void JobsChannel::send(JsonWriter& body) {
    token_.clear();
    append_decimal(token_, ++number_ % 1000000);
    body.text("clientToken", token_.view());
    body.end();
    asked_at_ = clock_.now();
    wait_ = backoff_.next();
    // When it does not go out, the timer brings us back.
    (void)link_.publish(suffix_.view(), as_bytes(body_.view()));
}

}  // namespace ota
