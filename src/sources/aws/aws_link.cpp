#include "sources/aws/aws_link.hpp"

namespace ota {
namespace {

constexpr Millis kConnectTimeout = 30000;
constexpr Millis kStable = 60000;  // a connection that held for so long was a good one
constexpr uint16_t kTlsPort = 443;

// Answers are subscribed to, although AWS sends them without: other brokers do not. Those of the
// shadow are named one by one, for AWS may add topics. What is lost of a stream is asked for again
// in any case: its blocks need no acknowledgement, each of which AWS counts as a message. The form
// of a stream's messages is the end of its topics.
constexpr std::array<MqttFilter, 13> kSuffixes{{{"streams/+/data/", 0},
                                                {"jobs/notify-next"},
                                                {"jobs/+/get/accepted"},
                                                {"jobs/+/get/rejected"},
                                                {"jobs/+/update/accepted"},
                                                {"jobs/+/update/rejected"},
                                                {"streams/+/rejected/"},
                                                {"streams/+/description/"},
                                                {"shadow/name/ota/get/accepted"},
                                                {"shadow/name/ota/get/rejected"},
                                                {"shadow/name/ota/update/accepted"},
                                                {"shadow/name/ota/update/rejected"},
                                                {"shadow/name/ota/update/delta"}}};

}  // namespace

AwsLink::AwsLink(MqttClient& client, Clock& clock, const TimeFloor& floor, const Config& config)
    : client_(client), clock_(clock), floor_(floor), config_(config) {
    prefix_.assign("$aws/things/");
    prefix_.append(config.thing);
    prefix_.append("/");
    for (size_t i = 0; i < kFilters; ++i) {
        const std::string_view suffix = kSuffixes[i].topic;
        filters_[i].assign(prefix_.view());
        filters_[i].append(suffix);
        if (suffix.ends_with('/')) filters_[i].append(stream_codec(config.streams).topic_end());
    }
}

void AwsLink::open() {
    std::array<MqttFilter, kFilters> filters;
    for (size_t i = 0; i < kFilters; ++i) filters[i] = {filters_[i].c_str(), kSuffixes[i].qos};
    MqttConfig config;
    config.host = config_.endpoint;
    config.port = config_.port;
    config.alpn = config_.port == kTlsPort ? "x-amzn-mqtt-ca" : nullptr;
    config.client_id = config_.thing;
    config.tls = config_.tls;
    config.tls.judged_at = floor_.judge_at(clock_.wall());
    config.filters = std::span(filters).first(config_.shadow ? kFilters : kWithoutShadow);
    is_open_ = true;
    opened_at_ = clock_.now();
    const Status opened = client_.open(config);
    if (!opened.ok()) end(opened);
}

void AwsLink::end(Status why) {
    client_.close();
    why_ = why;
    if (is_up_ && clock_.now() - opened_at_ > kStable) backoff_.reset();
    is_open_ = is_up_ = false;
    open_at_ = clock_.now() + backoff_.next();
}

void AwsLink::close() {
    if (is_open_) client_.close();
    is_open_ = is_up_ = false;
}

bool AwsLink::take(MqttMessage& out) {
    if (!is_open_) {
        if (clock_.now() < open_at_) return false;
        open();
        if (!is_open_) return false;
    }
    const Result<bool> came = client_.receive(out);
    if (came.status().is(Code::kTryAgain)) {
        if (clock_.now() - opened_at_ > kConnectTimeout) {
            end({Code::kTimeout, Origin::kSource, Detail::kNoAnswer});
        }
        return false;
    }
    if (!came.ok()) {
        end(came.status());
        return false;
    }
    if (!is_up_) {
        is_up_ = true;
        why_ = {};
        ++connection_;
    }
    // Of another thing: it is not for us, whoever sent it.
    if (!*came || !out.topic.starts_with(prefix_.view())) return false;
    out.topic.remove_prefix(prefix_.view().size());
    return true;
}

Status AwsLink::publish(std::string_view suffix, Bytes payload) {
    topic_.assign(prefix_.view());
    topic_.append(suffix);
    return client_.publish(topic_.view(), payload);
}

}  // namespace ota
