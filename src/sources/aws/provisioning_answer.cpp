#include "sources/aws/provisioning_answer.hpp"

#include "wire/json.hpp"

namespace ota {
namespace {

constexpr Status kNone{Code::kMalformed, Origin::kSource, Detail::kJsonForm};

// Members of the object in payload that are wanted; what else there is is passed by.
template <typename Visit>
Status read_object(Bytes payload, Visit visit) {
    JsonReader in(as_text(payload));
    OTA_TRY_ASSIGN(const JsonToken first, in.next());
    if (first != JsonToken::kObjectBegin) {
        return kNone;
    }
    return each_member(in, [&](std::string_view name) -> Status {
        OTA_TRY_ASSIGN(const JsonToken token, in.next());
        return visit(in, name, token);
    });
}

}  // namespace

Status parse_certificate_answer(Bytes payload, ThingIdentity& identity) {
    identity.certificate.clear();
    identity.token.clear();
    const Status read =
        read_object(payload, [&](JsonReader& in, std::string_view name, JsonToken token) {
            if (token != JsonToken::kText) return in.pass(token);
            if (name == "certificatePem") return in.take_text(identity.certificate);
            if (name == "certificateOwnershipToken") return in.take_text(identity.token);
            return in.pass_text();
        });
    if (read.ok() && !identity.certificate.empty() && !identity.token.empty()) return {};
    identity.certificate.clear();
    identity.token.clear();
    return kNone;
}

Status parse_thing_answer(Bytes payload, ThingIdentity& identity) {
    identity.thing.clear();
    const Status read =
        read_object(payload, [&](JsonReader& in, std::string_view name, JsonToken token) {
            const bool is_name = token == JsonToken::kText && name == "thingName";
            return is_name ? in.take_text(identity.thing) : in.pass(token);
        });
    if (read.ok() && !identity.thing.empty()) return {};
    identity.thing.clear();
    return kNone;
}

ProvisioningRejection parse_provisioning_rejection(Bytes payload) {
    ProvisioningRejection out;
    (void)read_object(payload, [&](JsonReader& in, std::string_view name, JsonToken token) {
        if (token == JsonToken::kNumber && name == "statusCode") {
            return in.take_number(token, out.status);
        }
        if (token != JsonToken::kText || name != "errorCode") return in.pass(token);
        const Status taken = in.take_text(out.code);
        return taken.is(Code::kNoSpace) ? kOkStatus : taken;
    });
    return out;
}

}  // namespace ota
