// A configuration that is switched with the application, and back with it.
#include "engine/components_bench.hpp"

namespace ota {
namespace {

const Buffer kFirst = filled(300, 1);
const Buffer kSecond = filled(5000, 2);

// On 1.1.0 with kFirst.
struct ConfiguredBench : ComponentsBench {
    explicit ConfiguredBench(const test::DeviceLayout& layout = kWithParts)
        : ComponentsBench(layout) {
        offer(test::app_and_config(image_of("1.1.0"), kFirst, 100));
        EXPECT_EQ(start(), Detail::kNone);
        (void)apply();
        EXPECT_TRUE(restart_and_settle());
        EXPECT_TRUE(running_version() == "1.1.0");
        EXPECT_TRUE(configuration() == kFirst);
    }
};

TEST(ConfigUpdate, RunsWithTheApplicationItCameWith) {
    ComponentsBench device;
    EXPECT_TRUE(device.configuration().empty());
    device.offer(test::app_and_config(image_of("1.1.0"), kFirst, 100));
    ASSERT_EQ(device.start(), Detail::kNone);
    EXPECT_TRUE(device.configuration().empty());
    (void)device.apply();
    EXPECT_EQ(device.outcome_of(ComponentKind::kApp), ComponentOutcome::kWritten);
    EXPECT_EQ(device.outcome_of(ComponentKind::kConfig), ComponentOutcome::kWritten);
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_TRUE(device.configuration() == kFirst);  // in the trial already
    ASSERT_TRUE(device.run_until([&] { return !device.manager().snapshot().trial; }));
    EXPECT_TRUE(device.configuration() == kFirst);
    EXPECT_EQ(device.manager().snapshot().attempt.components.size(), 2U);
}

TEST(ConfigUpdate, RevertsWithTheApplication) {
    ConfiguredBench device;
    device.offer(test::app_and_config(image_of("1.2.0"), kSecond, 101));
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.apply();
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_TRUE(device.configuration() == kSecond);
    device.probe.health = Health::kFail;
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
    Buffer before(0x4000);
    ASSERT_TRUE(device.config_region().read(0, before).ok());
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_TRUE(device.running_version() == "1.1.0");
    EXPECT_TRUE(device.configuration() == kFirst);
    Buffer after(0x4000);
    ASSERT_TRUE(device.config_region().read(0, after).ok());
    EXPECT_TRUE(before == after);
}

TEST(ConfigUpdate, IsLeftAloneByAnUpdateThatDoesNotSucceed) {
    ConfiguredBench device;
    test::PackageSpec bad = test::app_and_config(image_of("1.2.0"), kSecond, 101);
    bad.payloads[1][4000] ^= 1;
    device.offer(bad);
    EXPECT_EQ(device.start(), Detail::kImageDigest);
    EXPECT_EQ(device.outcome_of(ComponentKind::kApp), ComponentOutcome::kWritten);
    EXPECT_EQ(device.outcome_of(ComponentKind::kConfig), ComponentOutcome::kFailed);
    EXPECT_TRUE(device.configuration() == kFirst);
    ASSERT_TRUE(device.boot());
    EXPECT_TRUE(device.running_version() == "1.1.0");
    EXPECT_TRUE(device.configuration() == kFirst);
    // And the good one of the same number is not held up by it.
    device.offer(test::app_and_config(image_of("1.2.0"), kSecond, 101));
    EXPECT_EQ(device.start(), Detail::kNone);
}

TEST(ConfigUpdate, StaysWhenAnApplicationComesWithoutOne) {
    ConfiguredBench device;
    device.source.package = test::make_suit(SuitBench::spec_of("1.2.0", 101));
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.apply();
    ASSERT_TRUE(device.restart_and_settle());
    EXPECT_TRUE(device.running_version() == "1.2.0");
    EXPECT_TRUE(device.configuration() == kFirst);
    // The next one finds the other bank free, and again the next.
    for (uint32_t i = 3; i < 6; ++i) {
        const Buffer config = filled(100 * i, static_cast<uint8_t>(i));
        device.offer(
            test::app_and_config(image_of("1." + std::to_string(i) + ".0"), config, 200 + i));
        ASSERT_EQ(device.start(), Detail::kNone);
        EXPECT_FALSE(device.configuration().empty());
        (void)device.apply();
        ASSERT_TRUE(device.restart_and_settle());
        EXPECT_TRUE(device.configuration() == config);
    }
}

TEST(ConfigUpdate, OperatorGoesBackToImageAndConfiguration) {
    ConfiguredBench device;
    device.offer(test::app_and_config(image_of("1.2.0"), kSecond, 101));
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.apply();
    ASSERT_TRUE(device.restart_and_settle());
    EXPECT_TRUE(device.configuration() == kSecond);
    (void)device.post(CommandKind::kRollback);
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_TRUE(device.running_version() == "1.1.0");
    EXPECT_TRUE(device.configuration() == kFirst);
    // What lies in the bank still need not be fetched again.
    EXPECT_EQ(device.start(), Detail::kNone);
    (void)device.apply();
    EXPECT_EQ(device.outcome_of(ComponentKind::kConfig), ComponentOutcome::kHeldAlready);
    ASSERT_TRUE(device.restart_and_settle());
    EXPECT_TRUE(device.configuration() == kSecond);
}

TEST(ConfigUpdate, DamageIsFoundAndEndsATrial) {
    ConfiguredBench device;
    device.offer(test::app_and_config(image_of("1.2.0"), kSecond, 101));
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.apply();
    // A bit of the new bank rots before the restart.
    const uint8_t zero = 0;
    ASSERT_TRUE(device.config_region().program(0x2000 + 100, Bytes(&zero, 1)).ok());
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    BankContent content;
    EXPECT_EQ(device.manager().configuration(content).detail(), Detail::kConfigDamaged);
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_TRUE(device.running_version() == "1.1.0");
    EXPECT_TRUE(device.configuration() == kFirst);
    EXPECT_STREQ(device.manager().snapshot().report_probe, "configuration");
}

// It would be handed on, and each new image would fail its trial.
TEST(ConfigUpdate, DamagedOneHoldsUpWhatBringsNone) {
    ConfiguredBench device;
    const uint8_t zero = 0;
    ASSERT_TRUE(device.config_region().program(100, Bytes(&zero, 1)).ok());
    ASSERT_TRUE(device.boot());
    device.source.package = test::make_suit(SuitBench::spec_of("1.2.0", 101));
    EXPECT_EQ(device.start(), Detail::kConfigDamaged);
    device.source.package = test::make_signed_of_size("1.2.0", 32 * 1024, 3);
    EXPECT_EQ(device.start(), Detail::kConfigDamaged);
    device.offer(test::app_and_config(image_of("1.2.0"), kSecond, 101));
    EXPECT_EQ(device.start(), Detail::kNone);
}

// The right bytes without a record of their writing: the power may have gone with the last page,
// which then reads well today and otherwise tomorrow.
TEST(ConfigUpdate, BytesWithoutARecordAreWrittenAgain) {
    ComponentsBench device;
    ASSERT_TRUE(device.config_region().erase(0, 0x2000).ok());
    ASSERT_TRUE(device.config_region().program(0, kFirst).ok());
    device.offer(test::app_and_config(image_of("1.1.0"), kFirst, 100));
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.apply();
    EXPECT_EQ(device.outcome_of(ComponentKind::kConfig), ComponentOutcome::kWritten);
}

// The bank that a package writes first belongs to the image one could go back to.
TEST(ConfigUpdate, NoGoingBackToAnImageWhoseBankWasWritten) {
    ConfiguredBench device;
    device.offer(test::app_and_config(image_of("1.2.0"), kSecond, 101));
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.apply();
    ASSERT_TRUE(device.restart_and_settle());
    const Buffer third = filled(4000, 3);
    test::PackageSpec next = test::app_and_config(image_of("1.3.0"), third, 102);
    std::swap(next.components[0], next.components[1]);
    std::swap(next.payloads[0], next.payloads[1]);
    device.offer(next);
    (void)device.post(CommandKind::kStartUpdate);
    const auto is_in_bank = [&] {
        Buffer bank(third.size());
        return device.config_region().read(0, bank).ok() && bank == third;
    };
    ASSERT_TRUE(device.run_until(is_in_bank));
    (void)device.post(CommandKind::kAbort);
    ASSERT_TRUE(device.run_to(State::kAborted));
    (void)device.post(CommandKind::kRollback);
    EXPECT_TRUE(device.run_to(State::kFailed));
    EXPECT_EQ(device.last_detail(), Detail::kNoOtherImage);
    EXPECT_TRUE(device.configuration() == kSecond);
}

// An older firmware, or a cable, put it there.
TEST(ConfigUpdate, AnotherImageInTheSlotDoesNotGetIt) {
    ConfiguredBench device;
    device.put_image(device.running(), test::make_signed_of_size("1.3.0", 32 * 1024, 8));
    ASSERT_TRUE(device.boot());
    EXPECT_TRUE(device.running_version() == "1.3.0");
    EXPECT_TRUE(device.configuration().empty());
}

TEST(ConfigUpdate, OddPairingsAreSurvived) {
    for (const uint32_t size : {0U, 0x4000U}) {
        test::DeviceLayout layout = kWithParts;
        layout.config_size = size;
        ComponentsBench device(layout);
        Journal journal(device.journal_region());
        ASSERT_TRUE(journal.open().ok());
        std::array<uint8_t, layout::kImagePrefixSize> prefix{};
        (void)device.flash.read(device.table().slot(0)->offset, prefix);
        Digest build{};
        ASSERT_TRUE(sha256(prefix, build).ok());
        Pairings pairings;
        for (const uint8_t bank : std::array<uint8_t, 3>{200, 0, 1}) {
            (void)pairings.push_back({0, build_mark(build), {bank, 100, {}}});
        }
        (void)pairings.push_back({77, {}, {1, 5000000, {}}});
        ASSERT_TRUE(journal.save(pairings).ok());
        ASSERT_TRUE(device.boot());
        EXPECT_TRUE(device.configuration().empty());
        // The boot choice is lost after the arming.
        device.offer(test::app_and_config(image_of("1.1.0"), kFirst, 100));
        const bool started = device.start() == Detail::kNone;
        EXPECT_EQ(started, size != 0);
        if (!started) continue;
        (void)device.apply();
        ASSERT_TRUE(device.otadata_region().erase(0, layout::kOtadataSize).ok());
        ASSERT_TRUE(device.boot(ResetReason::kBrownout));
        ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
        ASSERT_TRUE(device.restart_and_settle());
        EXPECT_TRUE(device.configuration() == kFirst);
    }
}

TEST(ConfigUpdate, TooOldAnApplicationIsToldAsItsOwnFault) {
    ComponentsBench device;
    device.offer(test::app_and_config(image_of("0.9.0"), kFirst, 100));
    EXPECT_EQ(device.start(), Detail::kVersionOlder);
    EXPECT_EQ(device.outcome_of(ComponentKind::kApp), ComponentOutcome::kFailed);
    EXPECT_EQ(device.outcome_of(ComponentKind::kConfig), ComponentOutcome::kWritten);
}

TEST(ConfigUpdate, ThreeSlotsKeepEachTheirOwn) {
    test::DeviceLayout layout = kWithParts;
    layout.slots = 3;
    layout.config_size = 0x6000;
    ConfiguredBench device(layout);  // slot 1, 1.1.0
    device.offer(test::app_and_config(image_of("1.2.0"), kSecond, 101));
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.apply();
    ASSERT_TRUE(device.restart_and_settle());  // slot 2
    device.offer(test::app_and_config(image_of("1.3.0"), filled(77, 3), 102));
    ASSERT_EQ(device.start(), Detail::kNone);  // slot 0, while slot 1 is what otadata names beside
    ASSERT_TRUE(device.boot());
    (void)device.post(CommandKind::kRollback);
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    EXPECT_TRUE(device.running_version() == "1.1.0");
    EXPECT_TRUE(device.configuration() == kFirst);
}

TEST(ConfigUpdate, SmallOneStandsInTheManifest) {
    ComponentsBench device;
    const Buffer config = filled(200, 9);
    test::PackageSpec spec = test::app_and_config(image_of("1.1.0"), config, 100);
    spec.components[1].parameters = {{18, cbor::bytes(config)}};
    spec.fetch = {test::select(0), test::fetch_from("#p00"), test::kFetchIt, test::kMatch,
                  test::select(1), {18, cbor::number(2)},    test::kMatch};
    spec.payloads.pop_back();
    device.offer(spec);
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.apply();
    ASSERT_TRUE(device.restart_and_settle());
    EXPECT_TRUE(device.configuration() == config);
}

TEST(ConfigUpdate, IsRefusedAloneAndWhereThereIsNoBank) {
    ComponentsBench device;
    test::PackageSpec alone = test::app_and_config(image_of("1.1.0"), kFirst, 100);
    alone.components.erase(alone.components.begin());
    alone.fetch = {test::select(0), test::fetch_from("#p00"), test::kFetchIt, test::kMatch};
    alone.payloads = {kFirst};
    device.offer(alone);
    const uint64_t before = device.flash.operations();
    EXPECT_EQ(device.start(), Detail::kNothingToActivate);
    test::PackageSpec with_boards = test::boards_package(kFirst, 3, 100);
    with_boards.components.push_back({.id = {test::id_of("cfg")}, .content = kFirst});
    device.offer(with_boards);
    EXPECT_EQ(device.start(), Detail::kNothingToActivate);
    device.offer(test::app_and_config(image_of("1.1.0"), filled(0x2001, 1), 100));
    EXPECT_EQ(device.start(), Detail::kSlotTooSmall);
    EXPECT_EQ(device.flash.operations(), before);
    ComponentsBench plain{test::DeviceLayout()};
    plain.offer(test::app_and_config(image_of("1.1.0"), kFirst, 100));
    EXPECT_EQ(plain.start(), Detail::kComponentUnknown);
}

// Several components are one package to those who watch.
TEST(ConfigUpdate, ProgressCountsAllComponents) {
    ComponentsBench device;
    const Buffer app = image_of("1.1.0");
    device.offer(test::app_and_config(app, kSecond, 100));
    (void)device.post(CommandKind::kCheck);
    ASSERT_TRUE(device.run_to(State::kUpdateAvailable));
    EXPECT_EQ(device.manager().snapshot().offered_size, app.size() + kSecond.size());
    ASSERT_EQ(device.start(), Detail::kNone);
    uint64_t last = 0;
    for (const Event& event : device.events.events) {
        if (event.kind != Event::Kind::kProgress) continue;
        EXPECT_GE(event.received, last);
        EXPECT_LE(event.received, event.total);
        last = event.received;
    }
    EXPECT_EQ(last, app.size() + kSecond.size());
}

}  // namespace
}  // namespace ota
