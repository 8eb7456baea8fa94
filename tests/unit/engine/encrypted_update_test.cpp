// Payloads that are encrypted to this device.
#include "engine/components_bench.hpp"
#include "support/encryption.hpp"

namespace ota {
namespace {

using test::Sender;

// Decrypted on the way from the package into the component.
test::PackageSpec encrypted_app(const Buffer& app, Sender sender, uint64_t sequence = 100) {
    const test::Encrypted sent = test::encrypt(app, sender);
    test::PackageSpec spec;
    spec.sequence = sequence;
    spec.components = {
        {.id = {test::id_of("app")}, .content = app, .parameters = {{19, cbor::bytes(sent.info)}}}};
    spec.fetch = {test::select(0), test::fetch_from("#p00"), test::kFetchIt, test::kMatch};
    spec.install = spec.validate = {test::select(0), test::kMatch};
    spec.payloads = {sent.payload};
    return spec;
}

struct EncryptedBench : ComponentsBench {
    EncryptedBench() {
        settings.payload_keys = test::device_keys();
        EXPECT_TRUE(boot());
    }
};

TEST(EncryptedUpdate, RunsAndFlashHoldsThePlainImage) {
    const Buffer app = image_of("1.1.0");
    for (const Sender sender : {Sender::kAesKw, Sender::kEcdhEs}) {
        EncryptedBench device;
        device.offer(encrypted_app(app, sender));
        device.source.chunk = 777;
        ASSERT_EQ(device.start(), Detail::kNone);
        (void)device.apply();
        ASSERT_TRUE(device.restart_and_settle());
        EXPECT_TRUE(device.running_version() == "1.1.0");
    }
}

TEST(EncryptedUpdate, ContinuesWhereItWas) {
    EncryptedBench device;
    device.offer(encrypted_app(image_of("1.1.0"), Sender::kEcdhEs));
    device.source.chunk = 500;
    device.source.fail_at = 7001;
    device.source.failures = 1;
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_until([&] { return device.manager().snapshot().received > 12000; }));
    ASSERT_TRUE(device.boot(ResetReason::kBrownout));
    device.source.bytes_read = 0;
    ASSERT_EQ(device.start(), Detail::kNone);
    EXPECT_LE(device.source.bytes_read, device.source.package.size() - 4096);
}

// Not even the fallback is lost; and when the key is there, the package is taken by itself.
TEST(EncryptedUpdate, WithoutTheKeyNothingIsTouched) {
    EncryptedBench device;
    device.settings.payload_keys = test::stranger_keys();
    ASSERT_TRUE(device.boot());
    device.offer(encrypted_app(image_of("1.1.0"), Sender::kAesKw));
    device.source.tag = "\"e\"";
    const uint64_t before = device.flash.operations();
    EXPECT_EQ(device.start(), Detail::kEncryptionKey);
    EXPECT_LE(device.flash.operations(), before + 1);  // the record of the attempt
    device.settings.payload_keys = test::device_keys();
    ASSERT_TRUE(device.boot());
    (void)device.post(CommandKind::kCheck);
    EXPECT_TRUE(device.run_to(State::kUpdateAvailable));
}

// The configuration is held already, so its cipher opened and closed without a byte written.
TEST(EncryptedUpdate, PlainPayloadAfterAHeldConfigurationStaysPlain) {
    EncryptedBench device;
    const Buffer app = image_of("1.1.0");
    const Buffer config = filled(150, 4);
    const test::Encrypted sent = test::encrypt(config, Sender::kEcdhEs);
    test::PackageSpec spec = test::app_and_config(app, config, 100);
    spec.components[1].parameters = {{18, cbor::bytes(sent.payload)}, {19, cbor::bytes(sent.info)}};
    spec.fetch = {test::select(1),          {18, cbor::number(2)}, test::kMatch, test::select(0),
                  test::fetch_from("#p00"), test::kFetchIt,        test::kMatch};
    spec.payloads.pop_back();
    device.offer(spec);
    device.source.chunk = 500;
    (void)device.post(CommandKind::kStartUpdate);
    ASSERT_TRUE(device.run_until([&] { return device.manager().snapshot().received > 2000; }));
    (void)device.post(CommandKind::kAbort);
    ASSERT_TRUE(device.run_to(State::kAborted));
    EXPECT_EQ(device.start(), Detail::kNone);
}

TEST(EncryptedUpdate, PlainPayloadAfterAnEncryptedOneStaysPlain) {
    EncryptedBench device;
    const Buffer app = image_of("1.1.0");
    const Buffer config = filled(3000, 4);
    const test::Encrypted sent = test::encrypt(config, Sender::kEcdhEs);
    test::PackageSpec spec = test::app_and_config(app, config, 100);
    std::swap(spec.components[0], spec.components[1]);
    spec.components[0].parameters = {{19, cbor::bytes(sent.info)}};
    spec.payloads = {sent.payload, app};
    device.offer(spec);
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.apply();
    ASSERT_TRUE(device.restart_and_settle());
    EXPECT_TRUE(device.configuration() == config);
}

// What lies in the stage is not asked for at the source again, however long ago it spoke.
TEST(EncryptedUpdate, CopyFromAHeldStageNeedsNoSource) {
    EncryptedBench device;
    const Buffer app = image_of("1.1.0");
    const test::Encrypted sent = test::encrypt(app, Sender::kEcdhEs);
    test::PackageSpec spec;
    spec.components = {{.id = {test::id_of("stage")}, .content = sent.payload},
                       {.id = {test::id_of("app")},
                        .content = app,
                        .parameters = {{19, cbor::bytes(sent.info)}, {22, cbor::number(0)}}}};
    spec.fetch = {test::select(0), test::fetch_from("#p00"), test::kFetchIt, test::kMatch,
                  test::select(1), {22, cbor::number(2)},    test::kMatch};
    spec.install = spec.validate = {test::select(1), test::kMatch};
    spec.payloads = {sent.payload};
    device.offer(spec);
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.post(CommandKind::kAbort);
    ASSERT_TRUE(device.run_to(State::kAborted));
    ASSERT_TRUE(device.boot());
    (void)device.run_until([] { return false; }, 120000);
    spec.sequence = 101;
    device.offer(spec);
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.apply();
    EXPECT_EQ(device.manager().snapshot().attempt.retries, 0U);
    EXPECT_EQ(device.manager().snapshot().attempt.received, 0U);
}

TEST(EncryptedUpdate, DigestDecidesAndNotTheCipher) {
    EncryptedBench device;
    test::PackageSpec spec = encrypted_app(image_of("1.1.0"), Sender::kAesKw);
    spec.payloads[0][9000] ^= 0x10;  // exactly this bit changes in the plain image
    device.offer(spec);
    EXPECT_NE(device.start(), Detail::kNone);
    EXPECT_EQ(device.state(), State::kFailed);
    ASSERT_TRUE(device.boot());
    EXPECT_TRUE(device.running_version() == "1.0.0");
}

// As in the examples of draft-ietf-suit-firmware-encryption: fetched to the stage as it is, then
// decrypted on the way into its place.
TEST(EncryptedUpdate, CopyDecryptsFromTheStage) {
    EncryptedBench device;
    const Buffer app = image_of("1.1.0");
    const Buffer config = filled(600, 4);
    const test::Encrypted sent = test::encrypt(app, Sender::kEcdhEs);
    const test::Encrypted sent_config = test::encrypt(config, Sender::kAesKw, 32, 9);
    test::PackageSpec spec;
    spec.components = {{.id = {test::id_of("stage")}, .content = sent.payload},
                       {.id = {test::id_of("app")},
                        .content = app,
                        .parameters = {{19, cbor::bytes(sent.info)}, {22, cbor::number(0)}}},
                       {.id = {test::id_of("cfg")},
                        .content = config,
                        .parameters = {{19, cbor::bytes(sent_config.info)}}}};
    spec.fetch = {
        test::select(0),          test::fetch_from("#p00"), test::kFetchIt, test::kMatch,
        test::select(1),          {22, cbor::number(2)},    test::kMatch,   test::select(2),
        test::fetch_from("#p01"), test::kFetchIt,           test::kMatch};
    spec.install = spec.validate = {test::select(1), test::kMatch};
    spec.payloads = {sent.payload, sent_config.payload};
    device.offer(spec);
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.apply();
    EXPECT_EQ(device.outcome_of(ComponentKind::kStage), ComponentOutcome::kWritten);
    EXPECT_EQ(device.outcome_of(ComponentKind::kApp), ComponentOutcome::kWritten);
    ASSERT_TRUE(device.restart_and_settle());
    EXPECT_TRUE(device.running_version() == "1.1.0");
    EXPECT_TRUE(device.configuration() == config);
}

TEST(EncryptedUpdate, SmallConfigurationInTheManifest) {
    EncryptedBench device;
    const Buffer app = image_of("1.1.0");
    const Buffer config = filled(150, 4);
    const test::Encrypted sent = test::encrypt(config, Sender::kEcdhEs);
    test::PackageSpec spec = test::app_and_config(app, config, 100);
    spec.components[1].parameters = {{18, cbor::bytes(sent.payload)}, {19, cbor::bytes(sent.info)}};
    spec.fetch = {test::select(0), test::fetch_from("#p00"), test::kFetchIt, test::kMatch,
                  test::select(1), {18, cbor::number(2)},    test::kMatch};
    spec.payloads.pop_back();
    device.offer(spec);
    ASSERT_EQ(device.start(), Detail::kNone);
    (void)device.apply();
    ASSERT_TRUE(device.restart_and_settle());
    EXPECT_TRUE(device.configuration() == config);
}

TEST(EncryptedUpdate, OtherEncryptionIsRefusedBeforeAnythingIsWritten) {
    EncryptedBench device;
    test::PackageSpec spec = encrypted_app(image_of("1.1.0"), Sender::kAesKw);
    Buffer info = test::encrypt(Buffer(10), Sender::kAesKw).info;
    info[4] = 0xA1;  // one header field less than there are
    spec.components[0].parameters = {{19, cbor::bytes(info)}};
    device.offer(spec);
    const uint64_t before = device.flash.operations();
    EXPECT_EQ(device.start(), Detail::kEncryptionForm);
    EXPECT_EQ(device.flash.operations(), before);
}

}  // namespace
}  // namespace ota
