// A signing key is lost: a firmware signed by another one takes it out, for good.
#include "engine/trial_bench.hpp"
#include "install/journal.hpp"

namespace ota {
namespace {

Digest id_of(test::Key key) {
    TrustStore store;
    EXPECT_TRUE(store.load_pem(test::public_pem(key)).ok());
    return store.keys()[0].id;
}

// Trusts two keys; the newer firmware, signed by the second, revokes the first.
struct RevocationBench : TrialBench {
    RevocationBench() {
        EXPECT_TRUE(trusted.load_pem(test::public_pem(test::Key::kOtherEc)).ok());
        source.package = test::make_signed({.version = "1.1.0"}, test::Key::kOtherEc);
        EXPECT_TRUE(boot());
    }
    // The restart into the image that revokes, or back to the one that does not.
    bool boot_as(bool revoking, ResetReason reset = ResetReason::kSoftware) {
        settings.revoked.clear();
        if (revoking) (void)settings.revoked.push_back(id_of(test::Key::kEc));
        return boot(reset);
    }
    Detail offer(const char* version, test::Key key) {
        source.package = test::make_signed({.version = version}, key);
        (void)post(CommandKind::kStartUpdate);
        step();
        (void)run_until(
            [&] { return state() == State::kFailed || state() == State::kReadyToApply; });
        return state() == State::kFailed ? detail() : Detail::kNone;
    }
};

TEST(Revocation, HoldsAtOnceAndAfterTheReturnOfAnOlderFirmware) {
    RevocationBench device;
    ASSERT_TRUE(device.install());
    ASSERT_TRUE(device.boot_as(true));
    ASSERT_TRUE(device.wait_for(Notice::kConfirmed));
    EXPECT_EQ(device.offer("1.2.0", test::Key::kEc), Detail::kSignatureUntrusted);
    EXPECT_EQ(device.offer("1.2.1", test::Key::kOtherEc), Detail::kNone);
    (void)device.post(CommandKind::kAbort);
    ASSERT_TRUE(device.run_to(State::kAborted));
    // The previous firmware, which still lists the key.
    (void)device.post(CommandKind::kRollback);
    device.step();
    ASSERT_TRUE(device.boot_as(false));
    EXPECT_EQ(device.offer("1.3.0", test::Key::kEc), Detail::kSignatureUntrusted);
}

TEST(Revocation, OfAFirmwareThatDoesNotHoldIsForgotten) {
    RevocationBench device;
    ASSERT_TRUE(device.install());
    device.probe.health = Health::kFail;
    ASSERT_TRUE(device.boot_as(true));
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
    device.probe.health = Health::kPass;
    ASSERT_TRUE(device.boot_as(false));
    ASSERT_TRUE(device.running_version() == "1.0.0");
    EXPECT_EQ(device.offer("1.2.0", test::Key::kEc), Detail::kNone);
}

TEST(Revocation, WithoutAnyKeyLeftNothingIsAccepted) {
    TrialBench device;
    for (const TrustedKey& key : device.trusted.keys()) {
        (void)device.settings.revoked.push_back(key.id);
    }
    ASSERT_TRUE(device.boot());
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_to(State::kFailed));
    EXPECT_EQ(device.detail(), Detail::kNoTrustedKey);
}

TEST(Revocation, ListIsBoundedAndKeepsTheNewest) {
    TrialBench device;
    for (uint8_t i = 0; i < kMaxRevokedKeys + 2; ++i) {
        Digest key{};
        key.fill(static_cast<uint8_t>(i + 1));
        device.settings.revoked.clear();
        (void)device.settings.revoked.push_back(key);
        ASSERT_TRUE(device.boot());
    }
    Journal journal(device.journal_region());
    ASSERT_TRUE(journal.open().ok());
    ASSERT_EQ(journal.revoked().size(), kMaxRevokedKeys);
    EXPECT_EQ(journal.revoked()[0][0], kMaxRevokedKeys + 2);
    EXPECT_EQ(journal.revoked()[kMaxRevokedKeys - 1][0], 3);
    const uint64_t operations = device.flash.operations();
    ASSERT_TRUE(device.boot());  // nothing new: nothing written
    EXPECT_EQ(device.flash.operations(), operations);
}

}  // namespace
}  // namespace ota
