#include "verify/trust_store.hpp"

#include <string>

#include "support/image_factory.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

Detail loading(std::string_view pem) {
    TrustStore store;
    const Status status = store.load_pem(pem);
    EXPECT_EQ(store.keys().empty(), !status.ok());
    return status.detail();
}

TEST(TrustStore, TakesBothKindsOfKey) {
    TrustStore store;
    ASSERT_TRUE(store.load_pem(test::public_pem(test::Key::kRsa)).ok());
    ASSERT_TRUE(store.load_pem(test::public_pem(test::Key::kEc)).ok());
    ASSERT_EQ(store.keys().size(), 2U);
    EXPECT_EQ(store.keys()[0].kind, KeyKind::kRsa3072);
    EXPECT_EQ(store.keys()[0].material().size(), 384U);
    EXPECT_EQ(store.keys()[1].kind, KeyKind::kEcdsaP256);
    EXPECT_EQ(store.keys()[1].material().size(), 64U);
}

TEST(TrustStore, TakesSeveralBlocksWithTextAround) {
    FixedString<4096> pem("# release key\n");
    pem.append(test::public_pem(test::Key::kEc));
    pem.append("\nsome words\r\n");
    pem.append(test::public_pem(test::Key::kOtherEc));
    TrustStore store;
    ASSERT_TRUE(store.load_pem(pem.view()).ok());
    EXPECT_EQ(store.keys().size(), 2U);
}

TEST(TrustStore, RefusesWhatItDoesNotUnderstand) {
    EXPECT_EQ(loading(""), Detail::kPemMalformed);
    EXPECT_EQ(loading("no key here"), Detail::kPemMalformed);
    EXPECT_EQ(loading("-----BEGIN PUBLIC KEY-----\nAAAA"), Detail::kPemMalformed);
    EXPECT_EQ(loading("-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----\n"),
              Detail::kPemMalformed);
    EXPECT_EQ(loading("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
              Detail::kKeyKind);
    EXPECT_EQ(loading("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"),
              Detail::kKeyKind);
}

TEST(TrustStore, OneBadBlockLeavesTheStoreAsItWas) {
    FixedString<4096> pem(test::public_pem(test::Key::kEc));
    pem.append("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
    TrustStore store;
    EXPECT_FALSE(store.load_pem(pem.view()).ok());
    EXPECT_TRUE(store.keys().empty());
}

TEST(TrustStore, HoldsFourKeys) {
    TrustStore store;
    std::string pem = test::public_pem(test::Key::kEc);
    const size_t at = pem.find("-----END") - 20;  // inside the point
    for (const char other : {'A', 'B', 'C', 'D'}) {
        pem[at] = other;
        EXPECT_TRUE(store.load_pem(pem).ok());
    }
    pem[at] = 'E';
    EXPECT_TRUE(store.load_pem(pem).is(Code::kNoSpace));
    EXPECT_EQ(store.keys().size(), 4U);
}

TEST(TrustStore, KeyThatIsListedTwiceIsOneKey) {
    TrustStore store;
    EXPECT_TRUE(store.load_pem(test::public_pem(test::Key::kEc)).ok());
    const std::string twice = std::string(test::public_pem(test::Key::kEc)) +
                              test::public_pem(test::Key::kRsa) + test::public_pem(test::Key::kRsa);
    EXPECT_TRUE(store.load_pem(twice).ok());
    EXPECT_EQ(store.keys().size(), 2U);
}

}  // namespace
}  // namespace ota
