#include "observe/role_credentials.hpp"

#include "wire/calendar.hpp"
#include "wire/json.hpp"

namespace ota {
namespace {

constexpr UnixTime kMargin = 300;  // s

template <size_t N>
Status take(JsonReader& in, FixedString<N>& out) {
    OTA_TRY_ASSIGN(const JsonToken token, in.next());
    if (token == JsonToken::kText) return in.take_text(out);
    OTA_TRY(in.pass(token));
    return {Code::kMalformed, Origin::kSource, Detail::kJsonForm};
}

Status take_credentials(JsonReader& in, RoleCredentials& out) {
    return each_member(in, [&](std::string_view name) -> Status {
        if (name == "accessKeyId") return take(in, out.id);
        if (name == "secretAccessKey") return take(in, out.secret);
        if (name == "sessionToken") return take(in, out.token);
        if (name == "expiration") {
            FixedString<40> text;
            OTA_TRY(take(in, text));
            out.expires = parse_rfc3339(text.view()).value_or(0);
            return {};
        }
        OTA_TRY_ASSIGN(const JsonToken token, in.next());
        return in.pass(token);
    });
}

Status parse(std::string_view json, RoleCredentials& out) {
    JsonReader in(json);
    OTA_TRY_ASSIGN(const JsonToken first, in.next());
    const Status form{Code::kMalformed, Origin::kSource, Detail::kJsonForm};
    if (first != JsonToken::kObjectBegin) return form;
    OTA_TRY(each_member(in, [&](std::string_view name) -> Status {
        OTA_TRY_ASSIGN(const JsonToken token, in.next());
        const bool ours = name == "credentials" && token == JsonToken::kObjectBegin;
        return ours ? take_credentials(in, out) : in.pass(token);
    }));
    const bool whole =
        !out.id.empty() && !out.secret.empty() && !out.token.empty() && out.expires != 0;
    return whole ? kOkStatus : form;
}

}  // namespace

void RoleCredentials::clear() {
    id.clear();
    secret.clear();
    token.clear();
    expires = 0;
}

bool RoleCredentials::are_stale(UnixTime now, UnixTime since) const {
    const UnixTime life = expires - since;
    const UnixTime margin = life / 5 < kMargin ? life / 5 : kMargin;
    return !is_set() || now >= expires - margin;
}

Status parse_role_credentials(std::string_view json, RoleCredentials& out) {
    out.clear();
    const Status parsed = parse(json, out);
    if (!parsed.ok()) out.clear();
    return parsed;
}

}  // namespace ota
