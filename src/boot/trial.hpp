#pragma once

#include "boot/health_check.hpp"
#include "ports/boot_control.hpp"
#include "ports/clock.hpp"

namespace ota {

// The window in which a new image has to prove itself. Every step is recorded before it is done, so
// a power cut anywhere ends in the same decision.
class Trial {
  public:
    Trial(HealthCheck& health, BootControl& boot, UpdateLog& log)
        : health_(health), boot_(boot), log_(log) {}

    // Records that the image reached its manager. deadline on the caller's clock.
    Status begin(const UpdateRecord& record, Millis deadline);
    // Takes up a trial whose outcome was recorded before a restart and is not durable yet.
    void resume(Millis deadline) {
        running_ = true;
        deadline_ = deadline;
    }
    // Stops asking. What otadata says stays.
    void end() { running_ = false; }
    bool running() const { return running_; }

    enum class Decision : uint8_t { kWait, kKeep, kRevert };
    // reason and probe are filled with kRevert.
    Decision decide(Millis now, RevertReason& reason, ProbeName& probe);

    // Makes the running image the confirmed one: intent, otadata, read-back, record.
    Status confirm();

    // Makes otadata name the running image: because an entry was lost, or because it is the only
    // one that boots.
    Status name_running() { return keep_running(); }

    // Makes the previous image boot next. kRefused / kNoOtherImage when there is none.
    Status revert(RevertReason reason, const ProbeName& probe);

  private:
    Status keep_running();

    HealthCheck& health_;
    BootControl& boot_;
    UpdateLog& log_;
    bool running_ = false;
    Millis deadline_ = 0;
};

}  // namespace ota
