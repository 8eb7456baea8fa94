#include "verify/file_signature.hpp"

#include <mbedtls/base64.h>

#include "support/image_factory.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

using test::Buffer;
using test::Key;

const Buffer kFile = {'f', 'i', 'r', 'm', 'w', 'a', 'r', 'e'};

Digest digest_of(const Buffer& file) {
    const Buffer hash = test::sha256(file);
    Digest out;
    std::copy(hash.begin(), hash.end(), out.begin());
    return out;
}

std::string base64(const Buffer& bytes) {
    std::string out(600, 0);
    size_t length = 0;
    EXPECT_EQ(mbedtls_base64_encode(reinterpret_cast<unsigned char*>(out.data()), out.size(),
                                    &length, bytes.data(), bytes.size()),
              0);
    out.resize(length);
    return out;
}

Buffer der_of(const std::string& text) {
    Buffer out(400);
    size_t length = 0;
    EXPECT_EQ(
        mbedtls_base64_decode(out.data(), out.size(), &length,
                              reinterpret_cast<const unsigned char*>(text.data()), text.size()),
        0);
    out.resize(length);
    return out;
}

struct Bench {
    explicit Bench(Key key) { EXPECT_TRUE(beside.set_key(test::public_pem(key)).ok()); }
    bool takes(const std::string& text) {
        const Status status = beside.take(text);
        EXPECT_EQ(beside.is_taken(), status.ok());
        EXPECT_TRUE(status.ok() || status.detail() == Detail::kCodeSignature);
        return status.ok();
    }
    FileSignature beside;
};

TEST(FileSignature, HoldsForItsFileAndKey) {
    for (const Key key : {Key::kEc, Key::kRsa}) {
        Bench bench(key);
        ASSERT_TRUE(bench.takes(test::sign_beside(kFile, key)));
        EXPECT_TRUE(bench.beside.check(digest_of(kFile)).ok());
        EXPECT_EQ(bench.beside.check(digest_of({'x'})).detail(), Detail::kCodeSignature);
    }
    Bench bench(Key::kEc);
    ASSERT_TRUE(bench.takes(test::sign_beside(kFile, Key::kOtherEc)));
    EXPECT_EQ(bench.beside.check(digest_of(kFile)).detail(), Detail::kCodeSignature);
}

// r and s of many lengths, as often as chance makes them short.
TEST(FileSignature, ReadsWhatASignerWrites) {
    Bench bench(Key::kEc);
    for (uint8_t i = 0; i < 200; ++i) {
        const Buffer file = {i};
        ASSERT_TRUE(bench.takes(test::sign_beside(file, Key::kEc))) << int{i};
        EXPECT_TRUE(bench.beside.check(digest_of(file)).ok()) << int{i};
    }
}

TEST(FileSignature, RefusesWhatIsNoSignatureOfItsKind) {
    Bench bench(Key::kEc);
    EXPECT_FALSE(bench.takes(""));
    EXPECT_FALSE(bench.takes("MEUCIQ=="));
    EXPECT_FALSE(bench.takes("no base64!"));
    EXPECT_FALSE(bench.takes(test::sign_beside(kFile, Key::kRsa)));
    EXPECT_FALSE(Bench(Key::kRsa).takes(test::sign_beside(kFile, Key::kEc)));
    EXPECT_FALSE(Bench(Key::kRsa).takes(std::string(512 + 4, 'A')));
}

TEST(FileSignature, TakesDerAlone) {
    Bench bench(Key::kEc);
    const Buffer good = der_of(test::sign_beside(kFile, Key::kEc));
    for (size_t cut = 0; cut < good.size(); ++cut) {
        const Buffer part(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(cut));
        EXPECT_FALSE(bench.takes(base64(part))) << cut;
    }
    Buffer longer = good;
    longer.push_back(0);
    EXPECT_FALSE(bench.takes(base64(longer)));
    longer[1] = static_cast<uint8_t>(longer[1] + 1);
    EXPECT_FALSE(bench.takes(base64(longer)));
    // X.690 8.3: not empty, no needless zero in front, not negative; and no more than a scalar.
    EXPECT_TRUE(bench.takes(base64({0x30, 6, 2, 1, 0x7F, 2, 1, 1})));
    EXPECT_FALSE(bench.takes(base64({0x30, 5, 2, 0, 2, 1, 1})));
    EXPECT_FALSE(bench.takes(base64({0x30, 7, 2, 2, 0, 0x7F, 2, 1, 1})));
    EXPECT_FALSE(bench.takes(base64({0x30, 6, 2, 1, 0x80, 2, 1, 1})));
    EXPECT_FALSE(bench.takes(base64({0x31, 6, 2, 1, 0x7F, 2, 1, 1})));
    Buffer wide = {0x30, 3 + 33 + 2, 2, 33};
    wide.insert(wide.end(), 33, 0x11);
    wide.insert(wide.end(), {2, 1, 1});
    EXPECT_FALSE(bench.takes(base64(wide)));
}

TEST(FileSignature, WithoutAKeyNothingIsLookedAt) {
    FileSignature beside;
    EXPECT_TRUE(beside.take("rubbish").ok());
    EXPECT_FALSE(beside.is_taken());
    EXPECT_TRUE(beside.check(digest_of(kFile)).ok());
}

TEST(FileSignature, AnAttemptDoesNotInheritTheOneBefore) {
    Bench bench(Key::kEc);
    ASSERT_TRUE(bench.takes(test::sign_beside(kFile, Key::kEc)));
    bench.beside.take_none();
    EXPECT_FALSE(bench.beside.is_taken());
    ASSERT_TRUE(bench.takes(test::sign_beside(kFile, Key::kEc)));
    EXPECT_FALSE(bench.takes(""));
}

TEST(FileSignature, WantsOneKey) {
    FileSignature beside;
    std::string two = test::public_pem(Key::kEc);
    two += test::public_pem(Key::kRsa);
    EXPECT_FALSE(beside.set_key(two).ok());
    EXPECT_FALSE(FileSignature().set_key("-----BEGIN CERTIFICATE-----").ok());
    EXPECT_FALSE(FileSignature().set_key("").ok());
}

}  // namespace
}  // namespace ota
