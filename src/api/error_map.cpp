#include "api/error_map.hpp"

#include <array>

#include "base/error_kind.hpp"
#include "base/status_text.hpp"
#include "observe/event_text.hpp"
#include "ota_manager.h"

namespace ota {
namespace {

template <typename Inner, typename Outer>
constexpr bool same(Inner inner, Outer outer) {
    return static_cast<int>(inner) == static_cast<int>(outer);
}
static_assert(same(State::kAborted, OTA_STATUS_ABORTED) && same(State::kFailed, OTA_STATUS_FAILED));
static_assert(same(Notice::kRepaired, OTA_NOTICE_REPAIRED));
static_assert(same(RevertReason::kRequested, OTA_REVERT_REQUESTED));
static_assert(same(Phase::kReboot, OTA_PHASE_REBOOT));
static_assert(same(Outcome::kKept, OTA_OUTCOME_KEPT));
static_assert(same(ComponentKind::kSettings, OTA_COMPONENT_SETTINGS));
static_assert(same(ComponentOutcome::kFailed, OTA_COMPONENT_FAILED));
static_assert(kMaxComponents == OTA_MAX_COMPONENTS);
static_assert(same(ErrorKind::kInternal, OTA_ERR_INTERNAL));
static_assert(same(SourceKind::kUsbDrive, OTA_SOURCE_USB_DRIVE));
static_assert(static_cast<int>(ResetReason::kBrownout) + 1 == OTA_RESET_BROWNOUT);

}  // namespace

ota_attempt_t to_report(const AttemptRecord& attempt) {
    ota_attempt_t out{};
    out.outcome = static_cast<ota_outcome_t>(attempt.outcome);
    out.source = static_cast<ota_source_t>(attempt.source);
    out.phase = static_cast<ota_status_t>(attempt.phase);
    out.error = to_ota_error(attempt.why);
    out.detail = attempt.why.ok() ? "" : status_text(attempt.why);
    out.reading = attempt.reading;
    out.limit = attempt.limit;
    if (attempt.reset) out.reset = static_cast<ota_reset_t>(static_cast<int>(*attempt.reset) + 1);
    const std::string_view version = attempt.version.view();
    std::copy(version.begin(), version.end(), out.version);
    out.received = attempt.received;
    out.resumed_at = attempt.resumed_at;
    out.retries = attempt.retries;
    out.pauses = attempt.pauses;
    out.paused_ms = attempt.paused_ms;
    out.duration_ms = attempt.duration_ms;
    out.count = attempt.count;
    for (const ComponentResult& result : attempt.components) {
        ota_component_result_t& to = out.components[out.component_count++];
        to.kind = static_cast<ota_component_kind_t>(result.component.kind);
        to.number = result.component.number;
        to.outcome = static_cast<ota_component_outcome_t>(result.outcome);
        to.detail = result.why == Detail::kNone ? "" : detail_text(result.why);
    }
    return out;
}

ota_error_t to_ota_error(Status status) {
    return static_cast<ota_error_t>(error_kind(status));
}

esp_err_t to_esp_err(Status status) {
    if (status.ok()) return ESP_OK;
    switch (status.detail()) {
        case Detail::kPartitionMissing:
        case Detail::kPartitionTable:
        case Detail::kJournalAbsent:
            return ESP_ERR_OTA_MGR_PARTITION;
        case Detail::kPemMalformed:
        case Detail::kKeyKind:
        case Detail::kNoTrustedKey:
            return ESP_ERR_OTA_MGR_KEY;
        case Detail::kImageMagic:
        case Detail::kImageSegments:
        case Detail::kImageDescriptor:
        case Detail::kFlashRead:
        case Detail::kConfigDamaged:
            return ESP_ERR_OTA_MGR_IMAGE;
        default:
            break;
    }
    if (status.is(Code::kNoSpace)) return ESP_ERR_NO_MEM;
    if (status.is(Code::kOutOfRange)) return ESP_ERR_INVALID_ARG;
    return ESP_FAIL;
}

}  // namespace ota

extern "C" {

const char* ota_manager_error_to_string(ota_error_t error) {
    static constexpr std::array<const char*, 12> kTexts = {
        "No error",
        "No updates available",
        "Cannot connect to update server",
        "Server error",
        "Authentication failed",
        "Not enough space for update",
        "Signature/checksum validation failed",
        "Error writing to flash",
        "Incompatible firmware version",
        "Battery too low for update",
        "BMS reports unsafe condition",
        "Internal error",
    };
    const auto index = static_cast<size_t>(error);
    return index < kTexts.size() ? kTexts[index] : "Unknown error";
}

const char* ota_manager_status_to_string(ota_status_t status) {
    return ota::state_name(static_cast<ota::State>(status));
}

const char* ota_manager_revert_reason_to_string(ota_revert_reason_t reason) {
    return ota::revert_reason_text(static_cast<ota::RevertReason>(reason));
}

const char* ota_manager_outcome_to_string(ota_outcome_t outcome) {
    return ota::outcome_text(static_cast<ota::Outcome>(outcome));
}

const char* ota_manager_component_outcome_to_string(ota_component_outcome_t outcome) {
    return ota::component_outcome_text(static_cast<ota::ComponentOutcome>(outcome));
}

const char* ota_manager_reset_to_string(ota_reset_t reset) {
    if (reset == OTA_RESET_UNKNOWN) return ota::reset_text(std::nullopt);
    return ota::reset_text(static_cast<ota::ResetReason>(static_cast<int>(reset) - 1));
}

const char* ota_manager_source_to_string(ota_source_t source) {
    return ota::source_text(static_cast<ota::SourceKind>(source));
}
}
