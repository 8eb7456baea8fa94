#include <gtest/gtest.h>

#include <algorithm>

#include "otactl/flash_file.hpp"
#include "otactl/image_build.hpp"
#include "otactl/image_sign.hpp"
#include "otactl/image_verify.hpp"
#include "otactl/inspect.hpp"
#include "otactl/modbus_peer.hpp"

namespace otactl {
namespace {

Buffer image(const std::string& version = "1.1.0") {
    ImageDescription description;
    description.version = version;
    Buffer program(10001, 0x5A);
    const std::string magic =
        "\x7F"
        "ELF";
    std::copy(magic.begin(), magic.end(), program.begin());
    return build_image(program, description);
}

template <typename Function>
Exit exit_of(Function function) {
    try {
        function();
    } catch (const Failure& failure) {
        return failure.code();
    }
    return Exit::kOk;
}

TEST(Otactl, BuildsTheSameImageTwice) {
    EXPECT_EQ(image(), image());
    EXPECT_EQ(inspect(image())["version"], "1.1.0");
    EXPECT_EQ(inspect(image())["sha256_ok"], true);
}

TEST(Otactl, SignsWithUpToThreeKeysAndVerifiesEach) {
    PrivateKey rsa = PrivateKey::generate("rsa3072");
    PrivateKey ec = PrivateKey::generate("ecdsa256");
    Buffer out = sign_image(image(), rsa, false);
    out = sign_image(out, ec, true);
    out = sign_image(out, ec, true);
    EXPECT_EQ(exit_of([&] { sign_image(out, ec, true); }), Exit::kRefused);
    EXPECT_EQ(exit_of([&] { sign_image(out, ec, false); }), Exit::kRefused);
    for (const PrivateKey* key : {&rsa, &ec}) {
        EXPECT_EQ(exit_of([&] { verify_image(out, key->public_pem(), {}); }), Exit::kOk);
    }
    EXPECT_EQ(inspect(out)["signatures"].size(), 3U);
    const PrivateKey other = PrivateKey::generate("ecdsa256");
    EXPECT_EQ(exit_of([&] { verify_image(out, other.public_pem(), {}); }), Exit::kUntrusted);
}

TEST(Otactl, VerifySpeaksForTheDevice) {
    PrivateKey key = PrivateKey::generate("ecdsa256");
    const Buffer out = sign_image(image(), key, false);
    const std::string pem = key.public_pem();
    EXPECT_EQ(exit_of([&] { verify_image(out, pem, {.project = "", .version = "1.0.0"}); }),
              Exit::kOk);
    EXPECT_EQ(exit_of([&] { verify_image(out, pem, {.project = "", .version = "1.1.0"}); }),
              Exit::kRefused);
    EXPECT_EQ(exit_of([&] { verify_image(out, pem, {.project = "toaster", .version = ""}); }),
              Exit::kRefused);
    EXPECT_EQ(exit_of([&] { verify_image(image(), pem, {}); }), Exit::kUntrusted);
    EXPECT_EQ(exit_of([&] { verify_image(Buffer(5000, 0xE9), pem, {}); }), Exit::kMalformed);
    EXPECT_EQ(exit_of([&] { verify_image(out, "no key", {}); }), Exit::kMalformed);
}

TEST(Otactl, FlashFileHoldsTheImageWhereItBoots) {
    FlashPlan plan;
    plan.factory = true;
    plan.slots = 3;
    plan.slot_size = 1 << 20;
    const Json tree = inspect(create_flash(plan, image()));
    EXPECT_EQ(tree["type"], "flash");
    EXPECT_EQ(tree["slots"]["factory"]["version"], "1.1.0");
    EXPECT_EQ(tree["slots"]["ota_2"], "no valid image");
    EXPECT_EQ(tree["journal"]["records"], 0);
    plan.size = 1 << 20;
    EXPECT_EQ(exit_of([&] { create_flash(plan, image()); }), Exit::kUsage);
}

TEST(Otactl, InspectTellsFilesApart) {
    EXPECT_EQ(exit_of([] { inspect(Buffer(100, 1)); }), Exit::kMalformed);
    EXPECT_EQ(exit_of([] { inspect(Buffer()); }), Exit::kMalformed);
    Buffer broken = image();
    broken[500] ^= 1;
    EXPECT_EQ(exit_of([&] { inspect(broken); }), Exit::kMalformed);
    EXPECT_EQ(inspect(Buffer(0x2000, 0xFF))["type"], "otadata");
    EXPECT_NE(to_text(inspect(image())).find("project"), std::string::npos);
}

TEST(Otactl, ArgumentsThatMakeNoSenseAreUsage) {
    EXPECT_EQ(exit_of([] { image("1.2"); }), Exit::kUsage);
    ImageDescription description;
    description.version = "1.0.0";
    description.project = "\xFF";
    EXPECT_EQ(exit_of([&] { build_image(Buffer(300, 1), description); }), Exit::kUsage);
    description.project = "bess";
    EXPECT_EQ(exit_of([&] { build_image(Buffer(300, 1), description); }), Exit::kMalformed);
    PrivateKey key = PrivateKey::generate("ecdsa256");
    const Buffer out = sign_image(image(), key, false);
    EXPECT_EQ(exit_of([&] { verify_image(out, key.private_pem(), {}); }), Exit::kUsage);
    EXPECT_EQ(
        exit_of([&] { verify_image(out, key.public_pem(), {.project = "", .version = "1"}); }),
        Exit::kUsage);
}

TEST(Otactl, InspectWantsWholeFiles) {
    PrivateKey key = PrivateKey::generate("ecdsa256");
    Buffer out = sign_image(image(), key, false);
    out.resize(out.size() - 100);
    EXPECT_EQ(exit_of([&] { inspect(out); }), Exit::kMalformed);
}

TEST(Otactl, BytesThatAreNoTextAreShownAllTheSame) {
    const Json tree = {{"project", "\xFF"}, {"list", Json::array({Json{{"a", "\xFE"}}})}};
    EXPECT_FALSE(to_json(tree).empty());
    EXPECT_FALSE(to_text(tree).empty());
}

// pyhys/minimalmodbus#122
TEST(FieldCase, G06_answer_is_waited_for_as_long_as_the_line_takes) {
    ModbusPlace place;
    EXPECT_EQ(answer_timeout_ms(place), 1000U);
    place.line = "/dev/ttyUSB0";
    for (const int baud : {9600, 19200, 115200, 1000000}) {
        place.baud = baud;
        // 123 registers and their answer, in characters of eleven bits.
        const unsigned on_the_line = (265 + 8) * 11 * 1000 / static_cast<unsigned>(baud);
        EXPECT_GE(answer_timeout_ms(place), on_the_line + 100);
        EXPECT_LE(answer_timeout_ms(place), on_the_line + 1000);
    }
}

}  // namespace
}  // namespace otactl
