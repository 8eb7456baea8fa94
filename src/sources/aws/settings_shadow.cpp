#include "sources/aws/settings_shadow.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "wire/json.hpp"

namespace ota {
namespace {

constexpr Millis kAnswerTimeout = 10000;

using Shadow = ShadowMessage;

Status take_state(JsonReader& in, Shadow& out) {
    return each_member(in, [&](std::string_view name) -> Status {
        OTA_TRY_ASSIGN(const JsonToken token, in.next());
        const bool ours = name == "desired" && token == JsonToken::kObjectBegin;
        return ours ? in.take_object(out.desired) : in.pass(token);
    });
}

Status take_token(JsonReader& in, FixedString<12>& out) {
    const Status taken = in.take_text(out);
    if (!taken.is(Code::kNoSpace)) return taken;
    out.clear();  // somebody else's
    return {};
}

Status parse_shadow(Bytes payload, Shadow& out) {
    JsonReader in(as_text(payload));
    OTA_TRY_ASSIGN(const JsonToken first, in.next());
    if (first != JsonToken::kObjectBegin) {
        return {Code::kMalformed, Origin::kSource, Detail::kJsonForm};
    }
    return each_member(in, [&](std::string_view name) -> Status {
        OTA_TRY_ASSIGN(const JsonToken token, in.next());
        if (token == JsonToken::kNumber && (name == "version" || name == "code")) {
            return in.take_number(token, name == "code" ? out.code : out.version);
        }
        if (token == JsonToken::kText && name == "clientToken") return take_token(in, out.token);
        const bool is_state = name == "state" && token == JsonToken::kObjectBegin;
        return is_state ? take_state(in, out) : in.pass(token);
    });
}

}  // namespace

void SettingsShadow::step() {
    if (!is_on_ || !link_.is_up()) return;
    if (connection_ != link_.connection()) connected();
    const Millis now = clock_.now();
    if (asked_ != Asked::kNothing) {
        if (now - asked_at_ <= kAnswerTimeout) return;
        // The whole of it is asked anew.
        asked_ = Asked::kNothing;
        rest();
    }
    if (wants_get_ && now >= rest_until_) get();
}

// What changed meanwhile nobody has told; a shadow that was made anew counts from the start.
void SettingsShadow::connected() {
    connection_ = link_.connection();
    asked_ = Asked::kNothing;
    backoff_.reset();
    told_.clear();
    version_ = newest_ = 0;
    rest_until_ = 0;
    wants_get_ = true;
}

void SettingsShadow::ask(Asked what, JsonWriter& body) {
    asked_ = what;
    asked_at_ = clock_.now();
    token_.clear();
    append_decimal(token_, ++number_ % 1000000);
    body.text("clientToken", token_.view());
    body.end();
    const bool is_get = what == Asked::kGet;
    (void)link_.publish(is_get ? "shadow/name/ota/get" : "shadow/name/ota/update",
                        as_bytes(body_.view()));
}

void SettingsShadow::get() {
    JsonWriter body(body_);
    ask(Asked::kGet, body);
}

void SettingsShadow::update() {
    host_.describe_settings(telling_);
    if (telling_.view() == told_.view()) {
        backoff_.reset();
        return;
    }
    JsonWriter body(body_);
    body.object("state");
    body.raw("reported", telling_.view());
    body.end();
    ask(Asked::kUpdate, body);
}

void SettingsShadow::take(std::string_view topic, Bytes payload) {
    Shadow shadow;
    const bool is_whole = parse_shadow(payload, shadow).ok();
    const bool is_mine = asked_ != Asked::kNothing && shadow.token.view() == token_.view();
    const bool is_change = topic == "update/delta" || (topic == "update/accepted" && !is_mine);
    if (is_change && is_whole) return hear(shadow.version);
    if (!is_mine) return;
    const bool was_get = asked_ == Asked::kGet;
    if (topic == "get/accepted" && was_get) return take_whole(is_whole, shadow);
    if (topic == "update/accepted" && !was_get) {
        asked_ = Asked::kNothing;
        backoff_.reset();
        told_ = telling_;
    }
    if (topic == (was_get ? "get/rejected" : "update/rejected")) take_rejection(shadow.code);
}

void SettingsShadow::take_whole(bool is_whole, const ShadowMessage& shadow) {
    asked_ = Asked::kNothing;
    // What flash does not hold is not in force.
    if (!is_whole || !host_.take_settings(shadow.desired, SettingsCarrier::kShadow).ok())
        return rest();
    version_ = shadow.version;
    // Something newer may have been heard of while this was on its way.
    wants_get_ = newest_ > version_;
    update();
}

// Of a change.
void SettingsShadow::hear(uint64_t version) {
    newest_ = std::max(newest_, version);
    wants_get_ = wants_get_ || newest_ > version_;
}

// 404: there is no such shadow, and the report makes it. 429 and 5xx pass; what else is refused is
// for its owner to put right.
void SettingsShadow::take_rejection(uint64_t code) {
    const bool was_get = asked_ == Asked::kGet;
    asked_ = Asked::kNothing;
    if (!was_get || code != 404 || !host_.take_settings("{}", SettingsCarrier::kShadow).ok())
        return rest();
    version_ = newest_ = 0;
    wants_get_ = false;
    update();
}

void SettingsShadow::rest() {
    wants_get_ = true;
    rest_until_ = clock_.now() + backoff_.next();
}

}  // namespace ota
