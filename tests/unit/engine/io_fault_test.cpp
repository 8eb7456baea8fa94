// Flash that fails at the n-th operation, for every n: an error that says so, nothing lost, and the
// next attempt works without a restart.
#include "engine/update_bench.hpp"

namespace ota {
namespace {

enum class Fault { kWrite, kRead };

struct FaultBench : UpdateBench {
    // Follows an update until it rests: confirmed, failed, or with nothing to do.
    void attempt() {
        (void)post(CommandKind::kStartUpdate);
        step();
        (void)run_until([&] { return state() == State::kReadyToApply || at_rest(); });
        if (state() == State::kReadyToApply) (void)post(CommandKind::kApply);
        (void)run_until([&] { return restart_requested() || at_rest(); });
        follow_restarts();
    }
    // What a chip does about a restart; it gives up after a few.
    void follow_restarts() {
        for (int i = 0; i < 4 && restart_requested(); ++i) {
            started_ = boot(ResetReason::kSoftware);
            if (!started_) return;
            settle();
        }
    }
    void settle() {
        (void)run_until([&] { return restart_requested() || !manager().snapshot().trial; }, 700000);
    }
    bool started() const { return started_; }
    bool at_rest() const {
        const State now = state();
        return mailbox.queue.empty() &&
               (now == State::kIdle || now == State::kFailed || now == State::kAborted);
    }

  private:
    bool started_ = true;
};

// Fails count operations after the first n of an update; then the fault is gone.
void check_one(Fault fault, uint64_t n, uint64_t count) {
    FaultBench device;
    if (fault == Fault::kWrite) {
        device.flash.fail_operations(n, count);
    } else {
        device.flash.fail_reads(n, count);
    }
    device.attempt();
    device.flash.fail_operations(0, 0);
    device.flash.fail_reads(0, 0);
    EXPECT_EQ(device.flash.misuses(), 0U) << n;
    // A manager that can't read its flash at all does not start; a reset then finds it well.
    ASSERT_TRUE(device.started() || device.boot(ResetReason::kPanic)) << n;
    device.settle();
    if (device.state() == State::kFailed) {
        const Status why = Status::from_word(device.manager().snapshot().error);
        EXPECT_TRUE(why.is(Code::kStorage) || why.is(Code::kRefused)) << n;
    }
    if (device.running_version() != "1.1.0") device.attempt();
    EXPECT_TRUE(device.running_version() == "1.1.0") << n << " " << count;
    ASSERT_TRUE(device.boot()) << n;
    EXPECT_TRUE(device.running_version() == "1.1.0") << "not for good: " << n << " " << count;
    EXPECT_FALSE(device.manager().snapshot().trial) << n;
}

uint64_t operations_of_an_update(Fault fault) {
    FaultBench device;
    const uint64_t before =
        fault == Fault::kWrite ? device.flash.operations() : device.flash.reads();
    device.attempt();
    EXPECT_TRUE(device.running_version() == "1.1.0");
    return (fault == Fault::kWrite ? device.flash.operations() : device.flash.reads()) - before;
}

TEST(IoFault, EveryProgramAndErase) {
    const uint64_t operations = operations_of_an_update(Fault::kWrite);
    EXPECT_TRUE(operations > 100) << operations;
    for (uint64_t n = 0; n < operations; ++n) {
        for (const uint64_t count : {1U, 3U}) check_one(Fault::kWrite, n, count);
    }
}

TEST(IoFault, EveryRead) {
    const uint64_t reads = operations_of_an_update(Fault::kRead);
    EXPECT_TRUE(reads > 100) << reads;
    for (uint64_t n = 0; n < reads; ++n) check_one(Fault::kRead, n, 1);
}

}  // namespace
}  // namespace ota
