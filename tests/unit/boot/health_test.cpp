#include "boot/health_check.hpp"
#include "support/fakes.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

class Probe final : public HealthProbe {
  public:
    explicit Probe(const char* name) : name_(name) {}
    const char* name() const override { return name_; }
    Health poll() override { return health; }
    Health health = Health::kPass;

  private:
    const char* name_;
};

TEST(HealthCheck, PassesWhenAllPass) {
    Probe a("a");
    Probe b("b");
    HealthCheck check;
    EXPECT_TRUE(check.add(a));
    EXPECT_TRUE(check.add(b));
    const char* failing = nullptr;
    EXPECT_EQ(check.poll(failing), Health::kPass);
    b.health = Health::kPending;
    EXPECT_EQ(check.poll(failing), Health::kPending);
    EXPECT_STREQ(failing, "b");
    a.health = Health::kPending;
    b.health = Health::kFail;
    EXPECT_EQ(check.poll(failing), Health::kFail);
    EXPECT_STREQ(failing, "b");
}

TEST(HealthCheck, HoldsEightProbes) {
    Probe probe("p");
    HealthCheck check;
    for (int i = 0; i < 8; ++i) EXPECT_TRUE(check.add(probe));
    EXPECT_FALSE(check.add(probe));
}

TEST(BatteryProbe, PendsUntilTheBmsTalks) {
    VirtualClock clock;
    test::FakeBattery battery(clock);
    BatteryProbe probe(battery, clock);
    EXPECT_EQ(probe.poll(), Health::kPass);
    battery.age = 5001;
    EXPECT_EQ(probe.poll(), Health::kPending);
    battery.status = {Code::kUnavailable, Origin::kSafety, Detail::kNoBatteryProvider};
    EXPECT_EQ(probe.poll(), Health::kPending);
}

}  // namespace
}  // namespace ota
