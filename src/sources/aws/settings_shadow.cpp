#include "sources/aws/settings_shadow.hpp"

#include "wire/json.hpp"

namespace ota {
namespace {

// Version and desired state of a shadow; desired is a view into payload, "{}" when it has none.
struct Shadow {
    uint64_t version = 0;
    std::string_view desired = "{}";
};

Status take_state(JsonReader& in, Shadow& out) {
    return each_member(in, [&](std::string_view name) -> Status {
        OTA_TRY_ASSIGN(const JsonToken token, in.next());
        const bool ours = name == "desired" && token == JsonToken::kObjectBegin;
        return ours ? in.take_object(out.desired) : in.pass(token);
    });
}

Status parse_shadow(Bytes payload, Shadow& out) {
    JsonReader in(as_text(payload));
    OTA_TRY_ASSIGN(const JsonToken first, in.next());
    if (first != JsonToken::kObjectBegin) return in.pass(first);
    return each_member(in, [&](std::string_view name) -> Status {
        OTA_TRY_ASSIGN(const JsonToken token, in.next());
        if (name == "version" && token == JsonToken::kNumber) {
            return in.take_number(token, out.version);
        }
        const bool is_state = name == "state" && token == JsonToken::kObjectBegin;
        return is_state ? take_state(in, out) : in.pass(token);
    });
}

// The code of a rejection: as of HTTP. 0: it says none.
uint64_t code_of(Bytes payload) {
    JsonReader in(as_text(payload));
    uint64_t code = 0;
    const Result<JsonToken> first = in.next();
    if (!first.ok() || *first != JsonToken::kObjectBegin) return 0;
    (void)each_member(in, [&](std::string_view name) -> Status {
        OTA_TRY_ASSIGN(const JsonToken token, in.next());
        const bool ours = name == "code" && token == JsonToken::kNumber;
        return ours ? in.take_number(token, code) : in.pass(token);
    });
    return code;
}

}  // namespace

void SettingsShadow::step() {
    if (!link_.is_up()) return;
    if (connection_ != link_.connection()) {
        // What changed meanwhile nobody has told.
        connection_ = link_.connection();
        asked_ = Asked::kNothing;
        backoff_.reset();
        told_.clear();
        rest_until_ = 0;
        wants_get_ = true;
    }
    const Millis now = clock_.now();
    if (asked_ != Asked::kNothing && now - asked_at_ <= wait_) return;
    // Without an answer it is asked anew, the whole of it.
    if (asked_ != Asked::kNothing) wants_get_ = true;
    asked_ = Asked::kNothing;
    if (wants_get_ && now >= rest_until_) get();
}

void SettingsShadow::ask(Asked what) {
    asked_ = what;
    asked_at_ = clock_.now();
    wait_ = backoff_.next();
}

void SettingsShadow::get() {
    ask(Asked::kGet);
    (void)link_.publish("shadow/name/ota/get", {});
}

void SettingsShadow::update() {
    host_.describe_settings(telling_);
    if (telling_.view() == told_.view()) return;
    ask(Asked::kUpdate);
    body_.assign("{\"state\":{\"reported\":");
    body_.append(telling_.view());
    body_.append("}}");
    (void)link_.publish("shadow/name/ota/update", as_bytes(body_.view()));
}

void SettingsShadow::take(std::string_view topic, Bytes payload) {
    if (topic == "get/accepted" && asked_ == Asked::kGet) return take_whole(payload);
    if (topic == "update/delta") return take_delta(payload);
    if (topic == "update/accepted" && asked_ == Asked::kUpdate) {
        asked_ = Asked::kNothing;
        backoff_.reset();
        told_ = telling_;
        return;
    }
    const bool is_mine = (topic == "get/rejected" && asked_ == Asked::kGet) ||
                         (topic == "update/rejected" && asked_ == Asked::kUpdate);
    if (is_mine) take_rejection(payload);
}

void SettingsShadow::take_whole(Bytes payload) {
    asked_ = Asked::kNothing;
    wants_get_ = false;
    Shadow shadow;
    if (!parse_shadow(payload, shadow).ok()) return rest();
    backoff_.reset();
    if (shadow.version < version_) return;  // a newer one is on its way
    version_ = shadow.version;
    // What flash does not hold is not in force; the next change, or connection, tries again.
    if (host_.take_settings(shadow.desired).ok()) update();
}

void SettingsShadow::take_delta(Bytes payload) {
    Shadow shadow;
    if (!parse_shadow(payload, shadow).ok() || shadow.version <= version_) return;
    wants_get_ = true;
}

// 404: there is no such shadow, and the report makes it. 429 and 5xx pass; what else is refused is
// for its owner to put right.
void SettingsShadow::take_rejection(Bytes payload) {
    const bool was_get = asked_ == Asked::kGet;
    asked_ = Asked::kNothing;
    wants_get_ = false;
    const uint64_t code = code_of(payload);
    if (was_get && code == 404) {
        version_ = 0;
        if (host_.take_settings("{}").ok()) update();
        return;
    }
    rest();
}

void SettingsShadow::rest() {
    wants_get_ = true;
    rest_until_ = clock_.now() + backoff_.next();
}

}  // namespace ota
