#pragma once

#include "base/status.hpp"

namespace ota {

// What the update is about to do to the plant.
enum class Phase : uint8_t { kDownload, kInstall, kReboot };

// Fails closed: a default verdict is no.
struct Verdict {
    Status reason{Code::kUnsafe, Origin::kSafety, Detail::kNoBatteryProvider};
    int32_t reading = 0;  // the value that closed the gate: %, m°C, mA or ms by reason
    int32_t limit = 0;    // the limit it met, same unit

    bool safe() const { return reason.ok(); }
    static Verdict yes() { return {kOkStatus, 0, 0}; }
    static Verdict no(Detail detail, int32_t reading, int32_t limit) {
        return {{Code::kUnsafe, Origin::kSafety, detail}, reading, limit};
    }
};

// What keeps an update from moving, as bits in the field buses' INTERLOCK value.
enum InterlockBit : uint16_t {
    kInterlockSoc = 1 << 0,
    kInterlockHot = 1 << 1,
    kInterlockCold = 1 << 2,
    kInterlockCurrent = 1 << 3,
    kInterlockCustom = 1 << 4,    // the application's own say
    kInterlockSchedule = 1 << 5,  // a package waits for its time
    kInterlockLocal = 1 << 6,     // an update from another source is in hand
    kInterlockNoData = 1 << 7,    // the BMS says nothing, or too late
};

class SafetyGate {
  public:
    // Engine context. Asked before every step that moves an update forward.
    virtual Verdict check(Phase phase) = 0;

  protected:
    ~SafetyGate() = default;
};

}  // namespace ota
