// Envelopes made by others, read in place from ../shared/vectors/suit; skipped where they are not.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "install/payload_cipher.hpp"
#include "support/suit_host.hpp"

namespace {

using ota::Detail;
using test::Buffer;
using Json = nlohmann::json;
namespace fs = std::filesystem;

fs::path vectors() {
    const char* folder = std::getenv("BESS_SUIT_VECTORS");
    return folder == nullptr ? fs::path() : fs::path(folder);
}

Buffer read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Buffer from_hex(std::string_view text) {
    Buffer out(text.size() / 2);
    for (size_t i = 0; i < out.size(); ++i) {
        out[i] = static_cast<uint8_t>(std::stoi(std::string(text.substr(2 * i, 2)), nullptr, 16));
    }
    return out;
}

class SuitVectors : public testing::Test {
  protected:
    void SetUp() override {
        if (vectors().empty()) GTEST_SKIP() << "the vectors are not at hand here";
        const Buffer pem = read(vectors() / "manifest-37/public_key.pem");
        ASSERT_TRUE(
            trusted_.load_pem({reinterpret_cast<const char*>(pem.data()), pem.size()}).ok());
    }
    static void set_id(std::array<uint8_t, 16>& id, std::string_view hex) {
        const Buffer bytes = from_hex(hex);
        std::copy(bytes.begin(), bytes.end(), id.begin());
    }
    static test::SuitHost make_host() {
        test::SuitHost host;
        set_id(host.vendor, "6123c3a3abe95b3d81219821f5801081");
        set_id(host.class_id, "e335cddd9ee65fe3ab4cabec10f4215a");
        set_id(host.module_class, "7b41996cf3f95813929feda8a99933b7");
        const fs::path profile = vectors() / "bess-profile";
        host.after_delta = read(profile / "app-1.4.0.bin");
        host.web["https://fw.bess.example/ctrl/1.4.0.bin"] = host.after_delta;
        host.components[{1, 0}] = read(profile / "app-1.3.0.bin");
        return host;
    }
    ota::TrustStore trusted_;
};

// The words of the vectors for our findings.
std::string verdict_of(ota::Status status) {
    switch (status.detail()) {
        case Detail::kNone:
            return status.ok() ? "accept" : "none";
        case Detail::kManifestSignature:
            return "reject:signature";
        case Detail::kManifestDigest:
            return "reject:manifest-digest";
        case Detail::kEnvelopeOrder:
            return "reject:envelope-order";
        case Detail::kCborOrder:
            return "reject:duplicate-key";
        case Detail::kAuthMissing:
            return "reject:no-auth";
        case Detail::kCoseForm:
            return "reject:cose";
        case Detail::kManifestVersion:
            return "reject:version";
        case Detail::kSequenceNumber:
            return "reject:rollback";
        case Detail::kCommandUnknown:
            return "reject:unsupported-command";
        case Detail::kComponentUnknown:
            return "reject:unsupported-component";
        case Detail::kClassId:
            return "reject:class-id";
        case Detail::kNoCompatibilityCheck:
            return "reject:no-compat-check";
        case Detail::kCommandPlace:
            return "reject:shared-sequence";
        case Detail::kImageSize:
            return "reject:image-size";
        case Detail::kImageDigest:
            return "reject:image-digest";
        case Detail::kTrailingBytes:
            return "reject:trailing";
        case Detail::kNestingTooDeep:
            return "reject:nesting";
        case Detail::kPrefixTooLarge:
            return "reject:too-large";
        case Detail::kParameterMissing:
            return "reject:missing-parameter";
        case Detail::kSeveredDigest:
            return "reject:severed-digest";
        case Detail::kSeveredMissing:
            return "reject:severed-missing";
        case Detail::kSoftFailurePlace:
            return "reject:soft-failure";
        case Detail::kComponentIndex:
            return "reject:index";
        case Detail::kEnvelopeTag:
            return "reject:tag";
        case Detail::kPayloadMissing:
            return "reject:payload-missing";
        case Detail::kExpired:
            return "reject:use-before";
        case Detail::kMinimumBattery:
            return "reject:battery";
        case Detail::kCborForm:
            return "reject:cbor or reject:indefinite or reject:non-deterministic";
        default:
            return "other " + std::to_string(status.word());
    }
}

TEST_F(SuitVectors, ProfilesAndNegativeCasesHaveTheirVerdicts) {
    const Json index = Json::parse(read(vectors() / "profile-index.json"));
    size_t count = 0;
    for (const Json& entry : index) {
        const std::string file = entry["file"];
        const std::string expected = entry["expect"];
        test::SuitHost host = make_host();
        const ota::Status status = test::install_suit(host, read(vectors() / file), trusted_);
        const std::string verdict = verdict_of(status);
        const bool either = expected == "accept-or-reject";
        EXPECT_TRUE(either || verdict.find(expected) != std::string::npos)
            << file << ": " << verdict << ", expected " << expected;
        const bool before_payloads =
            status.detail() != Detail::kImageSize && status.detail() != Detail::kImageDigest &&
            status.detail() != Detail::kTrailingBytes && status.detail() != Detail::kExpired &&
            status.detail() != Detail::kMinimumBattery &&
            status.detail() != Detail::kParameterMissing;
        if (!status.ok() && before_payloads) {
            EXPECT_EQ(host.writes, 0U) << file;
        }
        ++count;
    }
    EXPECT_GE(count, 44U);
    std::printf("verdicts %zu\n", count);
}

TEST_F(SuitVectors, ModulesAreFinishedOnceAndSkippedAfterwards) {
    test::SuitHost host = make_host();
    const Buffer file = read(vectors() / "bess-profile/c-bms-12-modules.suit");
    ASSERT_TRUE(test::install_suit(host, file, trusted_).ok());
    EXPECT_EQ(host.writes, 13U);  // staged, and twelve boards
    host.components[test::SuitHost::Key{4, 7}].clear();
    ASSERT_TRUE(test::install_suit(host, file, trusted_).ok());
    EXPECT_EQ(host.writes, 14U);  // the one that had lost it
}

psa_key_id_t import_kek(const Buffer& kek) {
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_type(&attributes, PSA_KEY_TYPE_AES);
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_DECRYPT);
    psa_set_key_algorithm(&attributes, PSA_ALG_ECB_NO_PADDING);
    psa_key_id_t id = 0;
    EXPECT_EQ(psa_import_key(&attributes, kek.data(), kek.size(), &id), PSA_SUCCESS);
    return id;
}

// The key of draft-ietf-suit-firmware-encryption's example is sixteen times the letter a; that of
// its key agreement is printed in the draft alone.
TEST_F(SuitVectors, EncryptedPayloadOfTheDraftOpens) {
    const fs::path folder = vectors() / "firmware-encryption";
    ota::PayloadKeys keys;
    keys.kek = import_kek(Buffer(16, 'a'));
    ota::PayloadCipher cipher;
    ASSERT_TRUE(
        cipher.open(read(folder / "suit-encryption-info-aes-kw-aes-ctr.bin"), keys, 0).ok());
    Buffer payload = read(folder / "encrypted-payload-aes-kw-aes-ctr.bin");
    ASSERT_TRUE(cipher.apply(payload).ok());
    EXPECT_EQ(std::string(payload.begin(), payload.end()), "This is a real firmware image.");
    (void)psa_destroy_key(keys.kek);
    ota::CoseEncrypt info;
    EXPECT_TRUE(
        ota::parse_cose_encrypt(read(folder / "suit-encryption-info-es-ecdh-aes-ctr.bin"), info)
            .ok());
    for (const char* name : {"aes-kw", "es-ecdh"}) {
        const std::string file = "suit-encryption-info-" + std::string(name) + "-aes-gcm.bin";
        EXPECT_EQ(ota::parse_cose_encrypt(read(folder / file), info).detail(),
                  Detail::kEncryptionForm);
    }
}

TEST_F(SuitVectors, DeltaFallsBackToTheWholeImage) {
    test::SuitHost host = make_host();
    const Buffer file = read(vectors() / "bess-profile/d-delta.suit");
    ASSERT_TRUE(test::install_suit(host, file, trusted_).ok());
    EXPECT_NE(host.log.find("fetch #p00"), std::string::npos);
    test::SuitHost other = make_host();
    other.components[{1, 0}][5] ^= 1;  // another base
    ASSERT_TRUE(test::install_suit(other, file, trusted_).ok());
    EXPECT_EQ(other.log, "fetch https://fw.bess.example/ctrl/1.4.0.bin\n");
}

TEST_F(SuitVectors, ExamplesOfTheDraftAreSignedAsTheySay) {
    size_t holding = 0;
    for (int i = 0; i < 6; ++i) {
        const std::string name = "manifest-37/example" + std::to_string(i) + "-signed";
        const Buffer file = read(vectors() / (name + ".suit"));
        ota::SuitPrefix prefix;
        const ota::Status parsed = ota::parse_suit_prefix(file, prefix);
        // Some examples have members that our profile does not allow; that is not the question.
        if (!parsed.ok()) continue;
        ota::AuthWrapper auth;
        ASSERT_TRUE(ota::parse_auth_wrapper(prefix.auth, auth).ok()) << name;
        EXPECT_TRUE(ota::verify_manifest_signature(auth, trusted_, 1).ok()) << name;
        ota::Digest own;
        ASSERT_TRUE(ota::sha256(prefix.manifest_with_head, own).ok());
        EXPECT_TRUE(std::equal(own.begin(), own.end(), auth.digest.begin())) << name;
        ota::Digest signed_digest;
        ota::Digest expected;
        ASSERT_TRUE(
            ota::hash_to_be_signed(auth.signatures[0], auth.digest_item, signed_digest).ok());
        ASSERT_TRUE(ota::sha256(read(vectors() / (name + ".tbs.bin")), expected).ok());
        EXPECT_TRUE(signed_digest == expected) << name;
        ++holding;
    }
    EXPECT_EQ(holding, 6U);
    const Buffer unsigned_file = read(vectors() / "manifest-37/example0-unsigned.suit");
    ota::SuitPrefix prefix;
    ota::AuthWrapper auth;
    ASSERT_TRUE(ota::parse_suit_prefix(unsigned_file, prefix).ok());
    EXPECT_EQ(ota::parse_auth_wrapper(prefix.auth, auth).detail(), Detail::kAuthMissing);
}

// Every flipped bit and every truncation of a prefix: refused before a write, or, where the format
// leaves a bit unsigned, the genuine image or a refusal before the end.
TEST_F(SuitVectors, EveryFlippedBitAndTruncationOfAPrefix) {
    const Buffer file = read(vectors() / "negative/n00-good.suit");
    ota::SuitPrefix prefix;
    ASSERT_TRUE(ota::parse_suit_prefix(file, prefix).ok());
    const auto unsigned_at = [&](size_t i) {
        constexpr std::array<uint8_t, 3> kKid = {0xA1, 0x04, 0x48};
        const auto found = std::search(file.begin(), file.end(), kKid.begin(), kKid.end());
        const auto kid = static_cast<size_t>(found - file.begin());
        return i == 2 || (i >= kid && i < kid + 11);  // member count; key id
    };
    test::SuitHost good = make_host();
    ASSERT_TRUE(test::install_suit(good, file, trusted_).ok());
    size_t refused = 0;
    size_t unsigned_bits = 0;
    for (size_t i = 0; i < prefix.size; ++i) {
        for (int bit = 0; bit < 8; ++bit) {
            Buffer flipped = file;
            flipped[i] = static_cast<uint8_t>(flipped[i] ^ 1 << bit);
            test::SuitHost host = make_host();
            const ota::Status status = test::install_suit(host, flipped, trusted_);
            if (!status.ok() && host.writes == 0) {
                ++refused;
                continue;
            }
            EXPECT_TRUE(unsigned_at(i)) << i << " bit " << bit;
            ++unsigned_bits;
            if (status.ok()) {
                EXPECT_TRUE(host.components == good.components) << i;
            }
        }
        test::SuitHost host = make_host();
        EXPECT_FALSE(test::install_suit(
                         host, Buffer(file.begin(), file.begin() + static_cast<long>(i)), trusted_)
                         .ok());
        EXPECT_EQ(host.writes, 0U) << "truncated at " << i;
    }
    std::printf("prefix bytes %zu, flips refused unwritten %zu, flips of unsigned bits %zu\n",
                prefix.size, refused, unsigned_bits);
    EXPECT_EQ(refused + unsigned_bits, prefix.size * 8);
}

}  // namespace

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    if (psa_crypto_init() != PSA_SUCCESS) return 2;
    return RUN_ALL_TESTS();
}
