// Keys and requests that a device makes; what openssl says of them is in tests/interop.
#include "wire/device_key.hpp"

#include <mbedtls/ecp.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_csr.h>

#include <cstdio>
#include <string>

#include "support/test.hpp"
#include "wire/der_writer.hpp"

namespace ota {
namespace {

TEST(DerWriter, LengthsAndNumbers) {
    std::array<uint8_t, 400> buffer;
    const auto wrapped = [&](size_t size) {
        DerWriter out(buffer);
        const size_t end = out.mark();
        for (size_t i = 0; i < size; ++i) out.put(uint8_t{7});
        out.wrap(0x04, end);
        return std::vector<uint8_t>(out.bytes().begin(), out.bytes().end());
    };
    EXPECT_EQ(wrapped(0), (std::vector<uint8_t>{4, 0}));
    EXPECT_EQ(wrapped(127)[1], 127);
    EXPECT_EQ(wrapped(128)[1], 0x81);
    EXPECT_EQ(wrapped(128)[2], 128);
    EXPECT_EQ(wrapped(300)[1], 0x82);
    EXPECT_EQ(wrapped(300)[2] << 8 | wrapped(300)[3], 300);
    EXPECT_TRUE(wrapped(397).empty());  // four bytes before them do not fit

    const auto integer = [&](std::vector<uint8_t> value) {
        DerWriter out(buffer);
        out.integer(value);
        return std::vector<uint8_t>(out.bytes().begin(), out.bytes().end());
    };
    EXPECT_EQ(integer({0, 0, 5}), (std::vector<uint8_t>{2, 1, 5}));
    EXPECT_EQ(integer({0x80}), (std::vector<uint8_t>{2, 2, 0, 0x80}));
    EXPECT_EQ(integer({0, 0}), (std::vector<uint8_t>{2, 1, 0}));
}

// What another implementation reads of it: the name, and that both are of one key.
TEST(DeviceKey, RequestIsReadAndSignedByItsKey) {
    KeyPem last;
    for (const std::string& name :
         {std::string("b"), std::string("bess-0042"), std::string(64, 'n')}) {
        KeyPem key;
        RequestPem request;
        ASSERT_TRUE(make_device_key(name, key, request).ok());
        EXPECT_NE(key.view(), last.view());
        last.assign(key.view());
        mbedtls_x509_csr csr;
        mbedtls_x509_csr_init(&csr);
        const auto* text = reinterpret_cast<const unsigned char*>(request.c_str());
        ASSERT_EQ(mbedtls_x509_csr_parse(&csr, text, request.view().size() + 1), 0);
        std::array<char, 128> subject{};
        EXPECT_GT(mbedtls_x509_dn_gets(subject.data(), subject.size(), &csr.subject), 0);
        EXPECT_EQ(std::string(subject.data()), "CN=" + name);
        mbedtls_pk_context pk;
        mbedtls_pk_init(&pk);
        const auto* secret = reinterpret_cast<const unsigned char*>(key.c_str());
        ASSERT_EQ(mbedtls_pk_parse_key(&pk, secret, key.view().size() + 1, nullptr, 0), 0);
        EXPECT_EQ(mbedtls_pk_check_pair(&csr.pk, &pk), 0);
        mbedtls_pk_free(&pk);
        mbedtls_x509_csr_free(&csr);
    }
}

TEST(DeviceKey, NamesThatNoCertificateHolds) {
    KeyPem key;
    RequestPem request;
    EXPECT_FALSE(make_device_key("", key, request).ok());
    EXPECT_FALSE(make_device_key(std::string(65, 'n'), key, request).ok());
}

}  // namespace
}  // namespace ota
