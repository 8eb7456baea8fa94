#include "boot/health_check.hpp"

namespace ota {

Health BatteryProbe::poll() {
    BatterySnapshot now;
    if (!battery_.snapshot(now).ok()) return Health::kPending;
    const bool fresh = static_cast<int64_t>(clock_.now()) <= now.taken_at + kBatteryMaxAge;
    return fresh ? Health::kPass : Health::kPending;
}

Health StorageProbe::poll() {
    std::array<uint8_t, 1> magic;
    const bool read = image_.read_at(0, magic).ok();
    return read && magic[0] == layout::kImageMagic ? Health::kPass : Health::kFail;
}

Health JournalProbe::poll() {
    const UpdateStage stage = log_.update().stage;
    const bool recorded = stage == UpdateStage::kTrial || stage == UpdateStage::kConfirming;
    return recorded ? Health::kPass : Health::kPending;
}

Health HealthCheck::poll(const char*& failing) {
    Health result = Health::kPass;
    failing = "";
    for (HealthProbe* probe : probes_) {
        const Health health = probe->poll();
        if (health == Health::kPass) continue;
        if (health == Health::kFail || result == Health::kPass) failing = probe->name();
        result = health;
        if (health == Health::kFail) return result;
    }
    return result;
}

}  // namespace ota
