#include "base/bytes.hpp"
#include "base/crc32.hpp"
#include "base/fixed.hpp"
#include "base/hex.hpp"
#include "base/status.hpp"
#include "base/status_text.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

Status returns_early(Status inner, bool& reached) {
    OTA_TRY(inner);
    reached = true;
    return {};
}

Status assigns(Result<int> inner, int& out) {
    OTA_TRY_ASSIGN(out, inner);
    return {};
}

TEST(Status, KeepsCodeOriginAndDetail) {
    const Status status(Code::kUntrusted, Origin::kVerify, Detail::kSignatureDigest);
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(status.code(), Code::kUntrusted);
    EXPECT_EQ(status.origin(), Origin::kVerify);
    EXPECT_EQ(status.detail(), Detail::kSignatureDigest);
    EXPECT_TRUE(Status::from_word(status.word()) == status);
    EXPECT_TRUE(kOkStatus.ok());
}

TEST(Status, TryReturnsTheFirstError) {
    bool reached = false;
    EXPECT_TRUE(returns_early({}, reached).ok());
    EXPECT_TRUE(reached);
    reached = false;
    EXPECT_TRUE(returns_early({Code::kTimeout, Origin::kSource}, reached).is(Code::kTimeout));
    EXPECT_FALSE(reached);
}

TEST(Status, TryAssignTakesTheValueOrReturnsTheError) {
    int value = 0;
    EXPECT_TRUE(assigns(7, value).ok());
    EXPECT_EQ(value, 7);
    EXPECT_TRUE(assigns(Status{Code::kNoSpace, Origin::kApi}, value).is(Code::kNoSpace));
    EXPECT_EQ(value, 7);
}

TEST(StatusText, EveryDetailAndCodeHasOne) {
    for (uint16_t i = 1; i < static_cast<uint16_t>(Detail::kCount_); ++i) {
        EXPECT_NE(detail_text(static_cast<Detail>(i))[0], '\0') << i;
    }
    for (int i = 0; i < kCodeCount; ++i) EXPECT_NE(code_text(static_cast<Code>(i))[0], '\0') << i;
    EXPECT_STREQ(detail_text(Detail::kCount_), "unknown detail");
    EXPECT_STREQ(status_text({Code::kTimeout, Origin::kSource}), code_text(Code::kTimeout));
}

TEST(BoundedReader, StopsAtTheEndAndStaysThere) {
    const std::array<uint8_t, 5> bytes = {1, 2, 3, 4, 5};
    BoundedReader reader(bytes);
    EXPECT_EQ(reader.u8(), 1);
    EXPECT_EQ(reader.u16(), 0x0302);
    EXPECT_TRUE(reader.ok());
    EXPECT_EQ(reader.u32(), 0U);
    EXPECT_FALSE(reader.ok());
    EXPECT_EQ(reader.u8(), 0);
    EXPECT_FALSE(reader.ok());
}

TEST(Bytes, LittleEndianBlankAndRounding) {
    std::array<uint8_t, 4> bytes{};
    store_le32(bytes.data(), 0x12345678);
    EXPECT_EQ(bytes[0], 0x78);
    EXPECT_EQ(load_le32(bytes.data()), 0x12345678U);
    EXPECT_FALSE(is_blank(bytes));
    bytes.fill(0xFF);
    EXPECT_TRUE(is_blank(bytes));
    EXPECT_EQ(round_up(1U, 4096U), 4096U);
    EXPECT_EQ(round_up(4096U, 4096U), 4096U);
    EXPECT_EQ(round_down(4097U, 4096U), 4096U);
}

TEST(Bytes, ConstantTimeComparisonComparesEverything) {
    std::array<uint8_t, 32> a{};
    std::array<uint8_t, 32> b{};
    EXPECT_TRUE(equal_constant_time(a, b));
    b[31] = 1;
    EXPECT_FALSE(equal_constant_time(a, b));
    EXPECT_FALSE(equal_constant_time(a, Bytes(a).first(31)));
}

// Known answers of ESP-IDF's otadata (seed 0xFFFFFFFF) and of zlib ("123456789").
TEST(Crc32, KnownAnswers) {
    struct Answer {
        uint32_t seq;
        uint32_t crc;
    };
    constexpr std::array<Answer, 4> kAnswers = {
        {{1, 0x4743989A}, {2, 0x55F63774}, {3, 0xED4A5011}, {4, 0x709D68A8}}};
    for (const Answer& answer : kAnswers) {
        std::array<uint8_t, 4> seq;
        store_le32(seq.data(), answer.seq);
        EXPECT_EQ(crc32(0xFFFFFFFF, seq), answer.crc) << answer.seq;
    }
    EXPECT_EQ(crc32(0, as_bytes("123456789")), 0xCBF43926U);
    EXPECT_EQ(crc32(crc32(0, as_bytes("12345")), as_bytes("6789")), 0xCBF43926U);
}

TEST(FixedString, CutsWhatDoesNotFitAndStaysTerminated) {
    FixedString<4> text("abcdef");
    EXPECT_STREQ(text.c_str(), "abcd");
    EXPECT_FALSE(text.try_append("x"));
    EXPECT_STREQ(text.c_str(), "abcd");
    text.assign("ab");
    EXPECT_TRUE(text.try_append("cd"));
    EXPECT_TRUE(text.view() == "abcd");
}

TEST(FixedVector, RefusesOneTooMany) {
    FixedVector<int, 2> items;
    EXPECT_TRUE(items.push_back(1));
    EXPECT_TRUE(items.push_back(2));
    EXPECT_FALSE(items.push_back(3));
    EXPECT_EQ(items.size(), 2U);
    EXPECT_EQ(items[1], 2);
}

TEST(Hex, WantsExactlyTwoDigitsAByte) {
    std::array<uint8_t, 2> out{};
    EXPECT_TRUE(parse_hex("aBc9", out));
    EXPECT_EQ(out[0], 0xAB);
    EXPECT_EQ(out[1], 0xC9);
    EXPECT_FALSE(parse_hex("abc", out));
    EXPECT_FALSE(parse_hex("abcd0", out));
    EXPECT_FALSE(parse_hex("abcg", out));
}

}  // namespace
}  // namespace ota
