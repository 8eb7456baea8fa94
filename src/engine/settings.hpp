#pragma once

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
inline constexpr size_t kMaxSources = 4;
using UpdateSources = FixedVector<UpdateSource, kMaxSources>;

// The configuration as the engine uses it; defaults are the specification's.
struct Settings {
    uint32_t check_interval_ms = 0;  // 0 = no periodic checks
    bool automatic_update = false;
    bool verify_signature = true;
    bool allow_rollback = true;
    uint32_t rollback_timeout_ms = 300000;
    SafetyThresholds thresholds;
    Expectation expected;
    RevokedKeys revoked;
    ErasePolicy erase_policy = ErasePolicy::kSector;
    uint32_t jitter_seed = 0;  // of this device and boot; 0 = derived from the image
    uint16_t chip_id = layout::kChipEsp32P4;
    uint16_t chip_revision = 0;  // major * 100 + minor
};

}  // namespace ota
