#pragma once

#include "install/payload_cipher.hpp"
#include "install/slot_writer.hpp"
#include "ports/mailbox.hpp"
#include "ports/source.hpp"
#include "verify/verifier.hpp"

namespace ota {

// One place to look for updates.
struct UpdateSource {
    Channel* channel = nullptr;
    Source* source = nullptr;
    SourceKind kind = SourceKind::kHttps;
};
inline constexpr size_t kMaxSources = 6;  // each kind once
using UpdateSources = FixedVector<UpdateSource, kMaxSources>;

// RFC 9562 UUIDs.
using Uuid = std::array<uint8_t, 16>;

struct SuitIdentity {
    Uuid vendor{};
    Uuid class_id{};
    Uuid device{};        // of this single unit
    Uuid module_class{};  // of the module boards behind it
};

// What becomes of an update when module boards fail.
struct BoardPolicy {
    uint8_t quorum = 0;           // of the boards of a package, so many have to hold it; 0 = all
    bool stop_on_failure = true;  // after one that was changed and failed, no other is touched
};

// The configuration as the engine uses it; defaults are the specification's.
struct Settings {
    uint32_t check_interval_ms = 0;  // 0 = no periodic checks
    bool automatic_update = false;
    bool verify_signature = true;
    bool allow_rollback = true;
    uint32_t rollback_timeout_ms = 300000;
    Millis trial_deadline = 0;  // of this boot's trial; 0 = none has begun
    SafetyThresholds thresholds;
    Expectation expected;
    RevokedKeys revoked;
    uint8_t signatures_required = 1;  // distinct keys that have to sign a manifest
    // What SUIT packages have to be for; all zero = none is accepted.
    SuitIdentity suit;
    PayloadKeys payload_keys;
    BoardPolicy boards;
    uint32_t battery_capacity_wh = 200000;
    ErasePolicy erase_policy = ErasePolicy::kSector;
    bool settings_packages = false;
    bool remote_settings = false;  // somebody may bring some; else those in flash don't count
    uint32_t jitter_seed = 0;      // of this device and boot; 0 = derived from the image
    uint16_t chip_id = layout::kChipEsp32P4;
    uint16_t chip_revision = 0;  // major * 100 + minor
};

}  // namespace ota
