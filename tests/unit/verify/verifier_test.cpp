#include "verify/verifier.hpp"

#include "base/crc32.hpp"
#include "support/image_factory.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

using test::Buffer;
using test::Key;

class MemoryImage final : public ImageReader {
  public:
    explicit MemoryImage(const Buffer& bytes) : bytes_(bytes) {}
    uint64_t size() const override { return bytes_.size(); }
    Status read_at(uint64_t offset, MutableBytes out) override {
        if (offset + out.size() > bytes_.size()) return {Code::kOutOfRange, Origin::kInstall};
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
        return {};
    }

  private:
    const Buffer& bytes_;
};

struct Case {
    Key trusted = Key::kEc;
    bool signature_required = true;
    size_t step = 4096;
    std::optional<Key> code_key;
    Expectation expected;
    const char* running = "1.0.0";
};

Status verify(const Buffer& image, const Case& c, std::optional<VerifiedSet>& out) {
    TrustStore trusted;
    EXPECT_TRUE(trusted.load_pem(test::public_pem(c.trusted)).ok());
    Verifier verifier(trusted, c.signature_required);
    if (c.code_key) {
        EXPECT_TRUE(verifier.file_signature().set_key(test::public_pem(*c.code_key)).ok());
    }
    DeviceProfile device;
    device.project.assign("bess");
    device.version.assign(c.running);
    device.slot_size = 1 << 20;
    OTA_TRY(verifier.begin(image.size(), c.expected));
    for (size_t at = 0; at < image.size(); at += c.step) {
        OTA_TRY(verifier.sink().on_read_back(
            Bytes(image).subspan(at, std::min(c.step, image.size() - at))));
    }
    MemoryImage reader(image);
    return verifier.images(1, reader, device, std::nullopt, out);
}

Detail verdict(const Buffer& image, const Case& c = {}) {
    std::optional<VerifiedSet> set;
    const Status status = verify(image, c, set);
    EXPECT_EQ(set.has_value(), status.ok());
    return status.detail();
}

TEST(Verifier, AcceptsBothSignatureKinds) {
    Case rsa;
    rsa.trusted = Key::kRsa;
    EXPECT_EQ(verdict(test::make_signed({}, Key::kEc)), Detail::kNone);
    EXPECT_EQ(verdict(test::make_signed({}, Key::kRsa), rsa), Detail::kNone);
}

TEST(Verifier, DoesNotCareHowTheBytesCome) {
    const Buffer image = test::make_signed({});
    for (const size_t step : {1U, 255U, 256U, 4095U, 4097U}) {
        Case c;
        c.step = step;
        EXPECT_EQ(verdict(image, c), Detail::kNone) << step;
    }
}

TEST(Verifier, FindsTheTrustedKeyInAnyOfThreeBlocks) {
    Buffer image = test::make_image({});
    test::sign(image, Key::kOtherEc);
    test::sign(image, Key::kRsa);
    EXPECT_EQ(verdict(image), Detail::kSignatureUntrusted);
    test::sign(image, Key::kEc);
    EXPECT_EQ(verdict(image), Detail::kNone);
}

TEST(Verifier, NamesWhatIsWrongWithTheSignature) {
    const Buffer good = test::make_signed({});
    const size_t sector = good.size() - layout::kSignatureSectorSize;
    const auto flipped = [&](size_t at) {
        Buffer image = good;
        image[at] = static_cast<uint8_t>(image[at] ^ 1);
        return image;
    };
    EXPECT_EQ(verdict(test::make_image({})), Detail::kSignatureMissing);
    EXPECT_EQ(verdict(flipped(sector)), Detail::kSignatureMissing);
    EXPECT_EQ(verdict(flipped(sector + 120)), Detail::kSignatureBlock);  // CRC
    EXPECT_EQ(verdict(test::make_signed({}, Key::kOtherEc)), Detail::kSignatureUntrusted);
    EXPECT_EQ(verdict(flipped(sector - 1)), Detail::kSignatureDigest);  // the padding is signed too
}

// A block that names the trusted key, with a right CRC, over a signature made by another key.
TEST(Verifier, ChecksTheSignatureAndNotJustTheKey) {
    Buffer image = test::make_signed({}, Key::kEc);
    const Buffer other = test::make_signed({}, Key::kOtherEc);
    const size_t sector = image.size() - layout::kSignatureSectorSize;
    std::copy_n(other.begin() + static_cast<std::ptrdiff_t>(sector + 101), 64,
                image.begin() + static_cast<std::ptrdiff_t>(sector + 101));
    store_le32(&image[sector + 1196], crc32(0, Bytes(image).subspan(sector, 1196)));
    EXPECT_EQ(verdict(image), Detail::kSignatureUntrusted);
}

TEST(Verifier, WantsExactlyOneImageAndOneSector) {
    Buffer longer = test::make_signed({});
    longer.resize(longer.size() + 1, 0xFF);
    EXPECT_EQ(verdict(longer), Detail::kImageLength);
    Buffer shorter = test::make_signed({});
    shorter.pop_back();
    EXPECT_EQ(verdict(shorter), Detail::kImageLength);
}

TEST(Verifier, EveryFlippedBitOfTheImageIsFound) {
    const Buffer good = test::make_signed({});
    const size_t covered = good.size() - layout::kSignatureSectorSize;
    for (size_t at = 0; at < covered; at += 97) {
        Buffer image = good;
        image[at] = static_cast<uint8_t>(image[at] ^ 0x10);
        EXPECT_NE(verdict(image), Detail::kNone) << at;
    }
}

TEST(Verifier, UnsignedOnlyWhereAllowed) {
    Case allowed;
    allowed.signature_required = false;
    EXPECT_EQ(verdict(test::make_image({}), allowed), Detail::kNone);
    // A signature that is there has to hold even then.
    EXPECT_EQ(verdict(test::make_signed({}, Key::kOtherEc), allowed), Detail::kSignatureUntrusted);
}

TEST(Verifier, HoldsThePackageToThePublishedDigests) {
    const Buffer image = test::make_signed({});
    Case c;
    Digest sha{};
    std::array<uint8_t, 16> md5{};
    const Buffer right_sha = test::sha256(image);
    const Buffer right_md5 = test::md5(image);
    std::copy(right_sha.begin(), right_sha.end(), sha.begin());
    std::copy(right_md5.begin(), right_md5.end(), md5.begin());
    c.expected.sha256 = sha;
    c.expected.md5 = md5;
    EXPECT_EQ(verdict(image, c), Detail::kNone);
    (*c.expected.md5)[0] ^= 1;
    EXPECT_EQ(verdict(image, c), Detail::kExpectedMd5);
    (*c.expected.sha256)[0] ^= 1;
    EXPECT_EQ(verdict(image, c), Detail::kExpectedSha256);
}

TEST(Verifier, HoldsTheFileToTheSignatureBesideIt) {
    const Buffer image = test::make_signed({});
    Case c;
    c.code_key = Key::kOtherEc;
    EXPECT_EQ(verdict(image, c), Detail::kNone);  // by a way that has no such signatures
    const std::string right = test::sign_beside(image, Key::kOtherEc);
    c.expected.signature = right;
    EXPECT_EQ(verdict(image, c), Detail::kNone);
    const std::string wrong = test::sign_beside(image, Key::kEc);
    c.expected.signature = wrong;
    EXPECT_EQ(verdict(image, c), Detail::kCodeSignature);
    c.expected.signature = "";
    EXPECT_EQ(verdict(image, c), Detail::kCodeSignature);
    // It does not stand in for the image's own.
    const Buffer unsigned_image = test::make_image({});
    const std::string beside = test::sign_beside(unsigned_image, Key::kOtherEc);
    c.expected.signature = beside;
    EXPECT_EQ(verdict(unsigned_image, c), Detail::kSignatureMissing);
}

TEST(Verifier, AdmitsByTheBytesThatWereReadBack) {
    Case c;
    c.running = "1.1.0";
    EXPECT_EQ(verdict(test::make_signed({}), c), Detail::kVersionSame);
    c.running = "2.0.0";
    EXPECT_EQ(verdict(test::make_signed({}), c), Detail::kVersionOlder);
}

// The configuration that is switched with the image: what was read back from its bank has to be
// what was signed, whole, and has to have been read at all.
TEST(Verifier, HoldsTheConfigurationToItsDigest) {
    const Buffer image = test::make_signed({});
    const Buffer config(300, 7);
    const Buffer hash = test::sha256(config);
    BankContent content{1, 300, {}};
    std::copy(hash.begin(), hash.end(), content.digest.begin());
    const auto verdict_of = [&](const std::optional<Buffer>& read_back, const BankContent& wanted) {
        TrustStore trusted;
        EXPECT_TRUE(trusted.load_pem(test::public_pem(Key::kEc)).ok());
        Verifier verifier(trusted, true);
        DeviceProfile device;
        device.project.assign("bess");
        device.version.assign("1.0.0");
        device.slot_size = 1 << 20;
        EXPECT_TRUE(verifier.begin(image.size(), {}).ok());
        EXPECT_TRUE(verifier.sink().on_read_back(image).ok());
        if (read_back) {
            EXPECT_TRUE(verifier.parts().begin(ComponentKind::kConfig, read_back->size()).ok());
            EXPECT_TRUE(verifier.parts().on_read_back(*read_back).ok());
        }
        MemoryImage reader(image);
        std::optional<VerifiedSet> set;
        const Status status = verifier.images(1, reader, device, wanted, set);
        EXPECT_EQ(set.has_value(), status.ok());
        EXPECT_TRUE(!set || set->config() == wanted);
        return status.detail();
    };
    EXPECT_EQ(verdict_of(config, content), Detail::kNone);
    Buffer rotten = config;
    rotten[299] ^= 1;
    EXPECT_EQ(verdict_of(rotten, content), Detail::kImageDigest);
    EXPECT_EQ(verdict_of(std::nullopt, content), Detail::kImageDigest);
    EXPECT_EQ(verdict_of(config, {1, 299, content.digest}), Detail::kImageDigest);
}

TEST(Verifier, SetSaysWhatWasVerified) {
    const Buffer image = test::make_signed({});
    std::optional<VerifiedSet> set;
    ASSERT_TRUE(verify(image, {}, set).ok());
    EXPECT_EQ(set->slot(), 1);
    EXPECT_STREQ(set->image().version.c_str(), "1.1.0");
    const Buffer signed_part(image.begin(), image.end() - layout::kSignatureSectorSize);
    const Buffer digest = test::sha256(signed_part);
    EXPECT_TRUE(equal_constant_time(set->digest(), digest));
}

}  // namespace
}  // namespace ota
