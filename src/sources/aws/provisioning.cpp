#include "sources/aws/provisioning.hpp"

#include "sources/aws/provisioning_answer.hpp"
#include "wire/json_writer.hpp"

namespace ota {
namespace {

constexpr Millis kConnectTimeout = 30000;
constexpr Millis kAnswerTimeout = 20000;
constexpr uint8_t kMostRefusals = 8;  // over two minutes

constexpr Status kAgain{Code::kTryAgain, Origin::kSource};
constexpr Status kRefused{Code::kRefused, Origin::kSource, Detail::kProvisioningRefused};
constexpr Status kNoAnswer{Code::kTimeout, Origin::kSource, Detail::kNoAnswer};

}  // namespace

Provisioning::Provisioning(MqttClient& client, Clock& clock, const TimeFloor& floor,
                           IdentityStore& store, const Config& config)
    : client_(client), clock_(clock), floor_(floor), store_(store), config_(config) {
    create_.assign("$aws/certificates/create-from-csr/json");
    register_.assign("$aws/provisioning-templates/");
    register_.append(config.template_name);
    register_.append("/provision/json");
    for (size_t i = 0; i < filters_.size(); ++i) {
        filters_[i].assign(i < 2 ? create_.view() : register_.view());
        filters_[i].append(i % 2 == 0 ? "/accepted" : "/rejected");
    }
}

Status Provisioning::step() {
    const Status status = move();
    if (status.ok() || status.is(Code::kTryAgain)) return status;
    client_.close();
    is_open_ = false;
    return status;
}

Status Provisioning::move() {
    if (phase_ == Phase::kLoad) OTA_TRY(load());
    if (phase_ == Phase::kDone) return {};
    if (!is_open_) {
        if (clock_.now() < open_at_) return kAgain;
        OTA_TRY(open());
    }
    MqttMessage message;
    const Result<bool> came = client_.receive(message);
    const Millis waited = clock_.now() - since_;
    if (came.status().is(Code::kTryAgain))
        return waited > kConnectTimeout ? again(kNoAnswer) : kAgain;
    if (!came.ok()) {
        // Only what the broker itself refuses: a network that is down says nothing about the
        // pending certificate, which has a thing by now.
        const bool is_refused = came.status().is(Code::kUnauthenticated) ||
                                came.status().detail() == Detail::kMqttRefused;
        if (phase_ == Phase::kProve && is_refused && ++refusals_ >= kMostRefusals) {
            return start_over(came.status());
        }
        return again(came.status());
    }
    if (phase_ == Phase::kProve) return accept();
    if (!is_asked_) return ask();
    if (*came) return take(message);
    return waited > kAnswerTimeout ? again(kNoAnswer) : kAgain;
}

// What is current is enough; what is pending is gone on with.
Status Provisioning::load() {
    for (const IdentityPlace place : {IdentityPlace::kCurrent, IdentityPlace::kPending}) {
        const Status loaded = load_identity(store_, place, record_, identity_);
        if (loaded.is(Code::kMalformed)) continue;
        OTA_TRY(loaded);
        const bool is_current = place == IdentityPlace::kCurrent;
        phase_ = is_current                ? Phase::kDone
                 : identity_.thing.empty() ? Phase::kRegister
                                           : Phase::kProve;
        return is_current ? forget_pending() : kOkStatus;
    }
    return begin();
}

// What is pending stays until there is something in its place.
Status Provisioning::begin() {
    identity_.clear();
    phase_ = Phase::kRequest;
    return make_device_key(config_.serial_number, identity_.key, request_);
}

Status Provisioning::forget_pending() {
    OTA_TRY_ASSIGN(const size_t size, store_.load(IdentityPlace::kPending, record_));
    return size == 0 ? kOkStatus : store_.save(IdentityPlace::kPending, {});
}

Status Provisioning::open() {
    MqttConfig config;
    config.host = config_.endpoint;
    config.port = config_.port;
    config.alpn = config_.port == 443 ? "x-amzn-mqtt-ca" : nullptr;
    config.client_id = config_.claim;
    config.tls = config_.tls;
    config.tls.judged_at = floor_.judge_at(clock_.wall());
    std::array<MqttFilter, 4> filters;
    for (size_t i = 0; i < filters.size(); ++i) filters[i].topic = filters_[i].c_str();
    config.filters = filters;
    if (phase_ == Phase::kProve) {
        config.client_id = identity_.thing.c_str();
        config.tls.client_cert_pem = identity_.certificate.c_str();
        config.tls.client_key_pem = identity_.key.c_str();
        filter_of_thing_.assign("$aws/things/");
        filter_of_thing_.append(identity_.thing.view());
        filter_of_thing_.append("/jobs/notify-next");
        filters[0].topic = filter_of_thing_.c_str();
        config.filters = std::span(filters).first(1);
    }
    is_asked_ = false;
    since_ = clock_.now();
    const Status opened = client_.open(config);
    is_open_ = opened.ok();
    if (is_open_) return kOkStatus;
    // Certificate and key that do not go together: of the claim nobody but its owner can mend that.
    if (!opened.is(Code::kUnauthenticated)) return again(opened);
    return phase_ == Phase::kProve ? start_over(opened) : opened;
}

Status Provisioning::again(Status why) {
    client_.close();
    is_open_ = false;
    why_ = why;
    open_at_ = clock_.now() + backoff_.next();
    return kAgain;
}

// With another key; once, for each leaves a certificate behind in the cloud.
Status Provisioning::start_over(Status why) {
    if (is_second_) return kRefused;
    is_second_ = true;
    refusals_ = 0;
    OTA_TRY(begin());
    backoff_.reset();
    return again(why);
}

// What the caller gives was checked to be plain.
Status Provisioning::ask() {
    JsonWriter body(body_);
    if (phase_ == Phase::kRequest) {
        body.lines("certificateSigningRequest", request_.view());
    } else {
        body.text("certificateOwnershipToken", identity_.token.view());
        body.object("parameters");
        body.text("SerialNumber", config_.serial_number);
        for (const ProvisioningParameter& parameter : config_.parameters) {
            body.text(parameter.name, parameter.value);
        }
        body.end();
    }
    body.end();
    is_asked_ = true;
    since_ = clock_.now();
    const bool is_request = phase_ == Phase::kRequest;
    const Status sent =
        client_.publish(is_request ? create_.view() : register_.view(), as_bytes(body_.view()));
    return sent.ok() ? kAgain : again(sent);
}

Status Provisioning::take(const MqttMessage& message) {
    const bool is_request = phase_ == Phase::kRequest;
    const size_t accepted = is_request ? 0 : 2;
    if (message.topic == filters_[accepted].view()) {
        return is_request ? take_certificate(message.payload) : take_thing(message.payload);
    }
    if (message.topic == filters_[accepted + 1].view()) return take_rejection(message.payload);
    return kAgain;
}

Status Provisioning::take_certificate(Bytes payload) {
    const Status read = parse_certificate_answer(payload, identity_);
    if (!read.ok()) return again(read);
    // Before the cloud binds a thing to it: from then on there is no other way to its key.
    OTA_TRY(save(IdentityPlace::kPending));
    phase_ = Phase::kRegister;
    is_asked_ = false;
    backoff_.reset();
    return kAgain;
}

Status Provisioning::take_thing(Bytes payload) {
    const Status read = parse_thing_answer(payload, identity_);
    if (!read.ok()) return again(read);
    identity_.token.clear();
    OTA_TRY(save(IdentityPlace::kPending));
    phase_ = Phase::kProve;
    client_.close();
    is_open_ = false;
    open_at_ = clock_.now();
    backoff_.reset();
    return kAgain;
}

Status Provisioning::take_rejection(Bytes payload) {
    const ProvisioningRejection rejection = parse_provisioning_rejection(payload);
    if (rejection.passes()) {
        return again({Code::kUnavailable, Origin::kSource, Detail::kProvisioningRefused});
    }
    // A token is good for an hour: that of an earlier start may be too old.
    return rejection.is_of_token() ? start_over(kRefused) : kRefused;
}

Status Provisioning::save(IdentityPlace place) {
    const size_t size = encode_identity(identity_, record_);
    const Status saved = store_.save(place, Bytes(record_).first(size));
    mbedtls_platform_zeroize(record_.data(), record_.size());
    return saved;
}

// It has connected with it.
Status Provisioning::accept() {
    OTA_TRY(save(IdentityPlace::kCurrent));
    client_.close();
    is_open_ = false;
    phase_ = Phase::kDone;
    // Should this fail, the next start finds what is current first.
    (void)store_.save(IdentityPlace::kPending, {});
    return {};
}

}  // namespace ota
