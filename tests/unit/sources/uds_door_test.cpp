// Who may program by UDS: services 27 and 29.
#include "uds_bench.hpp"

namespace ota {
namespace {

Buffer key_for(UdsBench& device, const Buffer& seed, bool well = true) {
    Buffer message(seed.begin() + 2, seed.end());
    message.push_back(0x11);
    for (const char c : std::string_view("BESS-0042")) message.push_back(static_cast<uint8_t>(c));
    Buffer mac = hmac_of(device.access_hmac_key, message);
    if (!well) mac[0] ^= 1;
    Buffer out(18);
    out[0] = 0x27;
    out[1] = 0x12;
    std::copy_n(mac.begin(), 16, out.begin() + 2);
    return out;
}

TEST(UdsDoor, SeedAndKey) {
    UdsBench device(true);
    (void)device.ask({0x10, 2});
    EXPECT_EQ(device.code(key_for(device, Buffer(18))), 0x24);  // no seed was asked for
    const Buffer seed = device.ask({0x27, 0x11});
    ASSERT_EQ(seed.size(), 18U);
    EXPECT_EQ(device.code(key_for(device, seed, false)), 0x35);
    EXPECT_EQ(device.code(key_for(device, seed)), 0x24);  // that seed is used up
    const Buffer second = device.ask({0x27, 0x11});
    EXPECT_TRUE(second != seed);
    EXPECT_TRUE((device.ask(key_for(device, second)) == Buffer{0x67, 0x12}));
    Buffer open = {0x67, 0x11};
    open.resize(18);
    EXPECT_TRUE(device.ask({0x27, 0x11}) == open);
    const Buffer package = package_of("1.1.0");
    EXPECT_EQ(device.code(UdsBench::download_request(0, package.size())), 0);
    // A change of the session shuts it.
    (void)device.ask({0x10, 2});
    EXPECT_EQ(device.code(UdsBench::download_request(0, package.size())), 0x33);
}

TEST(UdsDoor, ThreeWrongKeysAndNobodyMayTryForAWhile) {
    UdsBench device(true);
    (void)device.ask({0x10, 2});
    for (int i = 0; i < 3; ++i) {
        const Buffer seed = device.ask({0x27, 0x11});
        EXPECT_EQ(device.code(key_for(device, seed, false)), i == 2 ? 0x36 : 0x35);
    }
    EXPECT_EQ(device.code({0x27, 0x11}), 0x37);
    for (int i = 0; i < 3; ++i) {
        device.wait(4000);
        (void)device.ask({0x3E, 0});
    }
    const Buffer seed = device.ask({0x27, 0x11});
    EXPECT_EQ(device.code(key_for(device, seed)), 0);
}

TEST(UdsDoor, AuthenticationByAKeyPair) {
    UdsBench device(true);
    ASSERT_TRUE(device.access_check.keys().load_pem(test::public_pem(test::Key::kEc)).ok());
    (void)device.ask({0x10, 2});
    EXPECT_TRUE((device.ask({0x29, 8}) == Buffer{0x69, 8, 3}));
    const Buffer algorithm = {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04,
                              3,    2,    0,    0,    0,    0,    0,    0};
    Buffer request = {0x29, 5, 0};
    request.insert(request.end(), algorithm.begin(), algorithm.end());
    const Buffer answer = device.ask(request);
    ASSERT_EQ(answer.size(), 3 + 16 + 2 + 32 + 2U);
    EXPECT_EQ(answer[1], 5);
    Buffer message = {'O', 'T', 'A', '1', 1};
    for (const char c : std::string_view("BESS-0042")) message.push_back(static_cast<uint8_t>(c));
    message.insert(message.end(), answer.begin() + 21, answer.begin() + 53);
    const Buffer signature = test::sign_bytes(test::sha256(message), test::Key::kEc);
    ASSERT_EQ(signature.size(), 64U);
    Buffer proof = {0x29, 6};
    proof.insert(proof.end(), algorithm.begin(), algorithm.end());
    proof.insert(proof.end(), {0, 64});
    proof.insert(proof.end(), signature.begin(), signature.end());
    proof.insert(proof.end(), {0, 0, 0, 0});
    EXPECT_EQ(device.code(proof), 0);
    ASSERT_GT(device.last.size(), 3U);
    EXPECT_EQ(device.last[2], 0x12);
    const Buffer package = package_of("1.1.0");
    EXPECT_EQ(device.code(UdsBench::download_request(0, package.size())), 0);
    EXPECT_TRUE((device.ask({0x29, 0}) == Buffer{0x69, 0, 0x10}));
    EXPECT_EQ(device.code({0x37}), 0x33);
    // A proof of somebody else.
    (void)device.ask(request);
    EXPECT_EQ(device.code(proof), 0x58);
    proof.pop_back();
    EXPECT_EQ(device.code(proof), 0x13);
    request[5] ^= 1;
    EXPECT_EQ(device.code(request), 0x31);
}

}  // namespace
}  // namespace ota
