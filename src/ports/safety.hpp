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

class SafetyGate {
  public:
    // Engine context. Asked before every step that moves an update forward.
    virtual Verdict check(Phase phase) = 0;

  protected:
    ~SafetyGate() = default;
};

}  // namespace ota
