// SUIT packages through the whole device.
#include "engine/suit_bench.hpp"

namespace ota {
namespace {

TEST(SuitUpdate, RunsOnTrialAndIsConfirmedWithItsNumber) {
    SuitBench device;
    ASSERT_TRUE(device.update_and_settle());
    EXPECT_TRUE(device.running_version() == "1.1.0");
    Journal journal(device.journal_region());
    ASSERT_TRUE(journal.open().ok());
    EXPECT_EQ(journal.confirmed().sequence_number, 100U);
    // The very package again: nothing new. Another one under the number, or an older: refused.
    EXPECT_EQ(device.start(), Detail::kVersionSame);
    device.source.package = test::make_suit(SuitBench::spec_of("1.2.0", 100));
    EXPECT_EQ(device.start(), Detail::kSequenceNumber);
    device.source.package = test::make_suit(SuitBench::spec_of("1.2.0", 99));
    EXPECT_EQ(device.start(), Detail::kSequenceNumber);
    device.source.package = test::make_suit(SuitBench::spec_of("1.2.0", 101));
    EXPECT_EQ(device.start(), Detail::kNone);
}

TEST(SuitUpdate, OfferIsKnownBeforeThePayload) {
    SuitBench device;
    (void)device.post(CommandKind::kCheck);
    ASSERT_TRUE(device.run_to(State::kUpdateAvailable));
    const EngineSnapshot now = device.manager().snapshot();
    EXPECT_STREQ(now.offered_version, "1.1.0");
    EXPECT_EQ(now.offered_size, image_of("1.1.0").size());
    EXPECT_LE(device.source.bytes_read, kMaxEnvelopePrefix);
    SuitSpec nameless = SuitBench::spec_of("1.1.0", 4711);
    nameless.version.clear();
    SuitBench other(nameless);
    (void)other.post(CommandKind::kCheck);
    ASSERT_TRUE(other.run_to(State::kUpdateAvailable));
    EXPECT_STREQ(other.manager().snapshot().offered_version, "number 4711");
}

TEST(SuitUpdate, LongPrefixIsFetchedWhole) {
    SuitSpec spec = SuitBench::spec_of("1.1.0", 100);
    spec.keys = {Key::kRsa, Key::kEc};
    for (const size_t chunk : {1U, 100U, 288U, 4096U}) {
        SuitBench device(spec);
        device.settings.signatures_required = 2;
        device.source.chunk = chunk;
        ASSERT_TRUE(device.boot());
        EXPECT_EQ(device.start(), Detail::kNone) << chunk;
    }
}

TEST(SuitUpdate, NothingIsWrittenBeforeTheSignatureHolds) {
    SuitSpec other_key = SuitBench::spec_of("1.1.0", 100);
    other_key.keys = {Key::kOtherEc};
    SuitSpec other_vendor = SuitBench::spec_of("1.1.0", 100);
    other_vendor.vendor = 1;
    SuitSpec unknown = SuitBench::spec_of("1.1.0", 100);
    unknown.component = "bios";
    for (const SuitSpec& spec : {other_key, other_vendor, unknown}) {
        SuitBench device(spec);
        const uint64_t operations = device.flash.operations();
        EXPECT_NE(device.start(), Detail::kNone);
        EXPECT_EQ(device.flash.operations(), operations);
    }
    SuitBench unconfigured;
    unconfigured.settings.suit = {};
    ASSERT_TRUE(unconfigured.boot());
    EXPECT_EQ(unconfigured.start(), Detail::kVendorId);
}

TEST(SuitUpdate, ContinuesAfterARestartWithThePrefixReadAgain) {
    SuitBench device;
    device.source.chunk = 512;
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_until([&] { return device.manager().snapshot().received > 9000; }));
    ASSERT_TRUE(device.boot(ResetReason::kBrownout));
    device.source.bytes_read = 0;
    EXPECT_EQ(device.start(), Detail::kNone);
    // The first two sectors are durable; the one being written is not.
    EXPECT_LE(device.source.bytes_read, device.source.package.size() - 4096 + kMaxEnvelopePrefix);
    EXPECT_EQ(device.manager().snapshot().attempt.outcome, Outcome::kInterrupted);
    (void)device.post(CommandKind::kApply);
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    ASSERT_TRUE(device.wait_for(Notice::kConfirmed));
}

TEST(SuitUpdate, LostConnectionIsTakenUpAnywhere) {
    for (const uint64_t at : {100U, 300U, 5000U, 20000U}) {
        SuitBench device;
        device.source.chunk = 700;
        device.source.fail_at = at;
        device.source.failures = 2;
        Detail end = device.start();
        if (at < kMaxEnvelopePrefix && end != Detail::kNone) end = device.start();  // in the look
        if (end != Detail::kNone) end = device.start();
        EXPECT_EQ(end, Detail::kNone) << at;
    }
}

TEST(SuitUpdate, AnotherPackageIsNotContinuedWithTheBytesOfTheFirst) {
    SuitBench device;
    device.source.chunk = 512;
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_until([&] { return device.manager().snapshot().received > 9000; }));
    (void)device.post(CommandKind::kAbort);
    ASSERT_TRUE(device.run_to(State::kAborted));
    device.source.package = test::make_suit(SuitBench::spec_of("1.1.1", 101));
    ++device.source.revision;
    ASSERT_TRUE(device.update_and_settle());
    EXPECT_TRUE(device.running_version() == "1.1.1");
}

TEST(SuitUpdate, PayloadThatIsNotTheSignedOneIsRefused) {
    SuitBench device;
    device.source.package.back() ^= 1;
    EXPECT_EQ(device.start(), Detail::kImageHash);
    ASSERT_TRUE(device.boot());
    EXPECT_EQ(device.running(), 0);
    SuitBench swapped;
    swapped.swap_payload();
    EXPECT_EQ(swapped.start(), Detail::kImageDigest);
    SuitSpec spec = SuitBench::spec_of("1.1.0", 100);
    spec.image.resize(spec.image.size() - 16);  // the manifest is honest about a broken image
    SuitBench broken(spec);
    EXPECT_NE(broken.start(), Detail::kNone);
    SuitBench trailing;
    trailing.source.package.push_back(0);
    EXPECT_EQ(trailing.start(), Detail::kTrailingBytes);
}

// The signed digest is held also where the manifest itself does not ask for it.
TEST(SuitUpdate, DigestIsHeldWithoutACondition) {
    SuitSpec spec = SuitBench::spec_of("1.1.0", 100);
    spec.change_members = [](auto& members) {
        const Buffer uri = cbor::map({{cbor::number(21), cbor::text("#p00")}});
        for (auto& [key, value] : members) {
            if (key != cbor::number(16)) continue;
            value =
                cbor::wrap(cbor::array({cbor::number(20), uri, cbor::number(21), cbor::number(2)}));
        }
    };
    SuitBench device(spec);
    EXPECT_EQ(device.start(), Detail::kNone);
    SuitBench swapped(spec);
    swapped.swap_payload();
    EXPECT_EQ(swapped.start(), Detail::kImageDigest);
}

TEST(SuitUpdate, ImageIsAdmittedByItsOwnBytesToo) {
    SuitBench older(SuitBench::spec_of("0.9.0", 100));  // a new number on an old image
    EXPECT_EQ(older.start(), Detail::kVersionOlder);
    test::ImageSpec image;
    image.version = "1.1.0";
    image.project = "other";
    SuitSpec spec;
    spec.image = test::make_image(image);
    SuitBench project(spec);
    EXPECT_EQ(project.start(), Detail::kProjectName);
}

TEST(SuitUpdate, PayloadsThatNobodyWantsAreLeftOut) {
    SuitSpec spec = SuitBench::spec_of("1.1.0", 100);
    spec.uri = "#p01";
    spec.payloads = {{"#p01", spec.image}, {"#p02", Buffer(9000, 7)}};
    // #p00 is there as well, with the image once more.
    SuitBench device(spec);
    device.source.bytes_read = 0;
    EXPECT_EQ(device.start(), Detail::kNone);
    EXPECT_LE(device.source.bytes_read, spec.image.size() + kMaxEnvelopePrefix + 100);
}

TEST(SuitUpdate, RevertedPackageIsLeftAloneUntilAskedFor) {
    SuitBench device;
    device.probe.health = Health::kFail;
    ASSERT_TRUE(device.install());
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
    device.probe.health = Health::kPass;
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    ASSERT_TRUE(device.running_version() == "1.0.0");
    EXPECT_TRUE(device.is_left_alone());
    EXPECT_TRUE(device.install());
}

TEST(SuitUpdate, RolledBackPackageCanBeInstalledAgain) {
    SuitBench device;
    ASSERT_TRUE(device.update_and_settle());
    (void)device.post(CommandKind::kRollback);
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    ASSERT_TRUE(device.running_version() == "1.0.0");
    ASSERT_TRUE(device.update_and_settle());
    EXPECT_TRUE(device.running_version() == "1.1.0");
}

TEST(SuitUpdate, EntryLostToAPowerCutIsArmedAgainWithoutTheManifest) {
    SuitBench device;
    ASSERT_TRUE(device.install_and_lose_entry());
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    ASSERT_TRUE(device.wait_for(Notice::kConfirmed));
    EXPECT_TRUE(device.running_version() == "1.1.0");
}

TEST(SuitUpdate, RefusedPackageIsNotFetchedAgainByItself) {
    SuitBench device;
    device.swap_payload();
    EXPECT_EQ(device.start(), Detail::kImageDigest);
    device.source.bytes_read = 0;
    EXPECT_EQ(device.start(CommandKind::kCheck), Detail::kRefusedBefore);
    EXPECT_LE(device.source.bytes_read, kMaxEnvelopePrefix);
}

// A file that ends where the first look ends is not looked at for ever.
TEST(SuitUpdate, FileOfExactlyTheFirstLookEnds) {
    SuitSpec spec = SuitBench::spec_of("1.1.0", 100);
    spec.keys = {Key::kRsa};  // a prefix longer than that
    SuitBench device(spec);
    device.source.package.resize(288);
    EXPECT_EQ(device.start(), Detail::kCborTruncated);
    EXPECT_LE(device.source.starts, 3U);
}

// What an earlier package left in the slot must not be activated under another one's name.
TEST(SuitUpdate, PackageThatFetchesNothingActivatesNothing) {
    SuitBench device;
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.post(CommandKind::kAbort);
    ASSERT_TRUE(device.run_to(State::kAborted));
    SuitSpec empty = SuitBench::spec_of("1.2.0", 200);
    empty.change_members = [](auto& members) {
        std::erase_if(members, [](const auto& member) { return member.first == cbor::number(16); });
    };
    device.source.package = test::make_suit(empty);
    ++device.source.revision;
    EXPECT_EQ(device.start(), Detail::kPayloadMissing);
    // Nor does the image of the first count as "there already" for its own manifest.
    SuitSpec skip = SuitBench::spec_of("1.1.0", 300);
    skip.change_members = [](auto& members) {
        const Buffer match = cbor::wrap(cbor::array({cbor::number(3), cbor::number(15)}));
        const Buffer abort = cbor::wrap(cbor::array({cbor::number(14), cbor::number(15)}));
        for (auto& [key, value] : members) {
            if (key != cbor::number(16)) continue;
            value = cbor::wrap(cbor::array({cbor::number(15), cbor::array({match, abort})}));
        }
    };
    device.source.package = test::make_suit(skip);
    ++device.source.revision;
    EXPECT_EQ(device.start(), Detail::kAbortCommand);
}

TEST(SuitUpdate, GivenUpImageInANewEnvelopeIsLeftAlone) {
    SuitBench device;
    device.probe.health = Health::kFail;
    ASSERT_TRUE(device.install());
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
    device.probe.health = Health::kPass;
    device.settings.automatic_update = true;
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    device.source.package = test::make_suit(SuitBench::spec_of("1.1.0", 101));
    ++device.source.revision;
    EXPECT_EQ(device.start(CommandKind::kCheck), Detail::kRevertedBefore);
    EXPECT_FALSE(device.restart_requested());
}

TEST(SuitUpdate, AnotherFileUnderTheNameIsSaidAndHeldAgainstNobody) {
    SuitBench device;
    const Buffer first = device.source.package;
    (void)device.post(CommandKind::kCheck);
    ASSERT_TRUE(device.run_to(State::kUpdateAvailable));
    device.source.package = test::make_suit(SuitBench::spec_of("1.3.0", 300));
    device.source.package.resize(first.size());
    ++device.source.revision;
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_to(State::kFailed));
    EXPECT_EQ(device.detail(), Detail::kFileChanged);
    device.source.package = first;  // back again
    --device.source.revision;
    device.settings.automatic_update = false;
    (void)device.post(CommandKind::kCheck);
    EXPECT_TRUE(device.run_to(State::kUpdateAvailable));
}

TEST(SuitUpdate, PackageThatCanNeverBeAppliedIsNotTriedForEver) {
    SuitSpec spec = SuitBench::spec_of("1.1.0", 100);
    spec.install_commands = {{14, cbor::number(15)}};
    SuitBench device(spec);
    device.settings.automatic_update = true;
    device.settings.check_interval_ms = 3600000;
    ASSERT_TRUE(device.boot());
    ASSERT_TRUE(device.run_to(State::kFailed));
    const uint64_t operations = device.flash.operations();
    (void)device.run_until([] { return false; }, 86400000);
    EXPECT_LE(device.flash.operations(), operations + 3);
}

// A card brings the manifest, the HTTPS source the image.
struct WebPayloadBench : SuitBench {
    WebPayloadBench() {
        SuitSpec spec = spec_of("1.1.0", 100);
        spec.uri = "https://update.example/bess.bin";
        source.package = test::make_suit(spec);
        web.package = spec.image;
        web.offered = false;
        source_kind = SourceKind::kSdCard;
        extra_source = {&web, &web, SourceKind::kHttps};
        EXPECT_TRUE(boot());
    }
    test::FakeSource web;
};

TEST(SuitUpdate, PayloadFromElsewhereIsFetchedThere) {
    WebPayloadBench device;
    device.web.fail_at = 9000;
    device.web.failures = 2;
    EXPECT_EQ(device.start(), Detail::kNone);
    EXPECT_TRUE(device.web.asked_for == "https://update.example/bess.bin");
    EXPECT_TRUE(device.web.foreign);
    EXPECT_FALSE(device.source.foreign);
    EXPECT_FALSE(device.web.open);
    (void)device.post(CommandKind::kApply);
    ASSERT_TRUE(device.run_until([&] { return device.restart_requested(); }));
    ASSERT_TRUE(device.boot(ResetReason::kSoftware));
    ASSERT_TRUE(device.wait_for(Notice::kConfirmed));
}

TEST(SuitUpdate, PayloadFromElsewhereContinuesAfterARestart) {
    WebPayloadBench device;
    device.web.chunk = 512;
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_until([&] { return device.manager().snapshot().received > 9000; }));
    ASSERT_TRUE(device.boot(ResetReason::kBrownout));
    device.web.bytes_read = 0;
    EXPECT_EQ(device.start(), Detail::kNone);
    EXPECT_LE(device.web.bytes_read, device.web.package.size() - 4096);
}

TEST(SuitUpdate, PayloadFromElsewhereIsHeldToItsDigestAndSize) {
    WebPayloadBench device;
    device.web.package[15000] ^= 1;
    EXPECT_EQ(device.start(), Detail::kImageChecksum);
    EXPECT_TRUE(device.running_version() == "1.0.0");
    WebPayloadBench longer;
    longer.web.package.push_back(0);
    EXPECT_EQ(longer.start(), Detail::kImageSize);
    WebPayloadBench changing;
    changing.web.fail_at = 9000;
    changing.web.failures = 1;
    (void)changing.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(changing.run_until([&] { return changing.web.failures == 0; }));
    ++changing.web.revision;
    ASSERT_TRUE(changing.run_to(State::kFailed));
    EXPECT_EQ(changing.last_detail(), Detail::kFileChanged);
    SuitSpec spec = SuitBench::spec_of("1.1.0", 100);
    spec.uri = "https://update.example/bess.bin";
    SuitBench without(spec);
    without.source_kind = SourceKind::kSdCard;
    ASSERT_TRUE(without.boot());
    EXPECT_EQ(without.start(), Detail::kNoHttpsSource);
}

TEST(SuitUpdate, EmptyPayloadsArePassedBy) {
    SuitSpec spec = SuitBench::spec_of("1.1.0", 100);
    spec.uri = "#p02";
    spec.payloads = {{"#p01", Buffer()}, {"#p02", spec.image}, {"#p03", Buffer()}};
    SuitBench device(spec);
    EXPECT_EQ(device.start(), Detail::kNone);
}

}  // namespace
}  // namespace ota
