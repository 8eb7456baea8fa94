// What AWS sends, or somebody in its place: JSON, jobs with their documents, blocks of streams,
// credentials, answers of CloudWatch, settings, and log lines that lay on a card.
#include <cstdlib>
#include <string>

#include "engine/remote_config.hpp"
#include "observe/cloudwatch_answer.hpp"
#include "observe/log_batch.hpp"
#include "observe/role_credentials.hpp"
#include "sources/aws/job_message.hpp"
#include "sources/aws/provisioning_answer.hpp"
#include "sources/aws/stream_codec.hpp"
#include "wire/calendar.hpp"

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

// Every document ends: in its end, or in an error that stays.
void walk(std::string_view text, bool quoted) {
    ota::JsonReader in(text, quoted);
    for (size_t i = 0; i < 2 * text.size() + 4; ++i) {
        const ota::Result<ota::JsonToken> token = in.next();
        if (!token.ok()) return check(!in.next().ok());
        if (*token == ota::JsonToken::kEnd) return;
        if (*token == ota::JsonToken::kText && i % 3 == 0) {
            ota::FixedString<16> out;
            (void)in.take_text(out);
        }
        if (*token == ota::JsonToken::kNumber && !in.pass(*token).ok()) return;
    }
    check(false);
}

// Whatever is taken of it is JSON still.
void restore_lines(std::string_view text) {
    ota::LogBatch batch;
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
        batch.restore(text.substr(0, end));
        text.remove_prefix(end);
    }
    batch.seal(1000, 1795999323000, SIZE_MAX);
    const std::string events = "[" + std::string(batch.sealed()) + "]";
    ota::JsonReader in(events);
    for (size_t i = 0; i < events.size() + 2; ++i) {
        const ota::Result<ota::JsonToken> token = in.next();
        check(token.ok());
        if (*token == ota::JsonToken::kEnd) return;
        if (*token == ota::JsonToken::kNumber) check(in.pass(*token).ok());
    }
    check(false);
}

void take_stream_message(const ota::StreamCodec& codec, ota::Bytes message) {
    ota::StreamData data;
    static std::array<uint8_t, ota::kStreamBlock> block;
    if (codec.parse_data(message, data).ok() && data.size <= block.size() &&
        codec.copy_payload(message, ota::MutableBytes(block).first(data.size)).ok()) {
        check(data.size < message.size());
    }
    ota::StreamRejection rejection;
    (void)codec.parse_rejection(message, rejection);
    ota::StreamDescription description;
    (void)codec.parse_description(message, 0, description);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const ota::Bytes bytes(data, size);
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    walk(text, false);
    walk(text, true);
    restore_lines(text);
    static ota::JobDocument document;
    ota::JobMessage message;
    if (ota::parse_job_message(bytes, message, &document).ok() && message.execution) {
        check(!message.execution->id.empty());
        const bool has_place = !document.stream.empty() || !document.url.empty();
        check(!message.execution->document.ok() || has_place);
    }
    take_stream_message(ota::stream_codec(ota::StreamForm::kCbor), bytes);
    take_stream_message(ota::stream_codec(ota::StreamForm::kJson), bytes);
    (void)ota::parse_rfc3339(text);
    static ota::RoleCredentials credentials;
    const bool is_ok = ota::parse_role_credentials(text, credentials).ok();
    check(is_ok == credentials.is_set());
    static ota::ThingIdentity identity;
    const bool has_certificate = ota::parse_certificate_answer(bytes, identity).ok();
    check(has_certificate != identity.certificate.empty());
    check(ota::parse_thing_answer(bytes, identity).ok() != identity.thing.empty());
    (void)ota::parse_provisioning_rejection(bytes);
    if (ota::decode_identity(bytes, identity).ok()) {
        static std::array<uint8_t, ota::kMaxIdentityRecord> again;
        const size_t length = ota::encode_identity(identity, again);
        check(length == size && std::equal(bytes.begin(), bytes.end(), again.begin()));
    }
    static ota::RemoteSettings asked;
    static ota::RefusedSettings refused;
    static ota::SettingsText settings;
    const ota::Settings own;
    if (ota::parse_remote_settings(text, own, ota::SettingsCarrier::kPackage, asked, refused)
            .ok()) {
        ota::Settings in_force = own;
        ota::apply_remote_settings(asked, own, in_force);
        check(in_force.thresholds.min_soc_percent >= own.thresholds.min_soc_percent);
        ota::format_remote_settings(in_force, asked, refused, settings);
        walk(settings.view(), false);
    }
    ota::LogRefusal refusal;
    ota::parse_log_refusal(400, text, refusal);
    check(refusal.fault != ota::LogFault::kNone);
    check(ota::count_rejected_events(text, 7) <= 7);
    return 0;
}
