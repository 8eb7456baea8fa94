#include "install/payload_cipher.hpp"

#include "support/encryption.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

using test::Buffer;
using test::Sender;

Buffer text_of(size_t size) {
    Buffer out(size);
    for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(i * i);
    return out;
}

TEST(PayloadCipher, OpensWhatWasSentToThisDevice) {
    const Buffer plain = text_of(5000);
    for (const Sender sender : {Sender::kAesKw, Sender::kEcdhEs}) {
        for (const size_t key_size : {size_t{16}, size_t{32}}) {
            test::Encrypted sent = test::encrypt(plain, sender, key_size);
            EXPECT_FALSE(sent.payload == plain);
            PayloadCipher cipher;
            ASSERT_TRUE(cipher.open(sent.info, test::device_keys(), 0).ok());
            for (size_t at = 0, n = 1; at < plain.size(); at += n, n = n * 3 % 701 + 1) {
                n = std::min(n, plain.size() - at);
                ASSERT_TRUE(cipher.apply(MutableBytes(sent.payload).subspan(at, n)).ok());
            }
            EXPECT_TRUE(sent.payload == plain);
        }
    }
}

TEST(PayloadCipher, ContinuesAtAnyBlock) {
    const Buffer plain = text_of(20000);
    const test::Encrypted sent = test::encrypt(plain, Sender::kAesKw);
    for (const size_t offset : {size_t{16}, size_t{4096}, size_t{16384}}) {
        Buffer tail(sent.payload.begin() + static_cast<long>(offset), sent.payload.end());
        PayloadCipher cipher;
        ASSERT_TRUE(cipher.open(sent.info, test::device_keys(), offset).ok());
        ASSERT_TRUE(cipher.apply(tail).ok());
        EXPECT_TRUE(
            std::equal(tail.begin(), tail.end(), plain.begin() + static_cast<long>(offset)));
    }
}

TEST(PayloadCipher, OtherKeysDoNotOpenIt) {
    for (const Sender sender : {Sender::kAesKw, Sender::kEcdhEs}) {
        const test::Encrypted sent = test::encrypt(text_of(100), sender);
        PayloadCipher cipher;
        EXPECT_EQ(cipher.open(sent.info, test::stranger_keys(), 0).detail(),
                  Detail::kEncryptionKey);
        EXPECT_EQ(cipher.open(sent.info, PayloadKeys(), 0).detail(), Detail::kEncryptionKey);
        EXPECT_FALSE(cipher.is_open());
        Buffer damaged = sent.info;
        damaged.back() ^= 1;
        EXPECT_EQ(cipher.open(damaged, test::device_keys(), 0).detail(), Detail::kEncryptionKey);
    }
}

// RFC 3394 4.1: 128 bits of key data with a 128-bit KEK. The test's own wrap is held to it, and the
// core's unwrap to the test's.
TEST(PayloadCipher, WrapsLikeTheRfc) {
    Buffer kek(16);
    Buffer key(16);
    for (size_t i = 0; i < 16; ++i) {
        kek[i] = static_cast<uint8_t>(i);
        key[i] = static_cast<uint8_t>(i * 0x11);
    }
    const Buffer expected = {0x1F, 0xA6, 0x8B, 0x0A, 0x81, 0x12, 0xB4, 0x47,
                             0xAE, 0xF3, 0x4B, 0xD8, 0xFB, 0x5A, 0x7B, 0x82,
                             0x9D, 0x3E, 0x86, 0x23, 0x71, 0xD2, 0xCF, 0xE5};
    EXPECT_TRUE(test::wrap_key(kek, key) == expected);
}

}  // namespace
}  // namespace ota
