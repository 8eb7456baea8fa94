#include "wire/cbor.hpp"

#include "support/suit_factory.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

namespace cbor = test::cbor;
using test::Buffer;

Detail whole_item(const Buffer& bytes) {
    CborReader reader(bytes);
    const Result<Bytes> item = reader.item();
    if (item.ok()) {
        EXPECT_EQ((*item).size(), bytes.size());
        EXPECT_TRUE(reader.at_end());
    } else {
        EXPECT_EQ(reader.position(), 0U);  // nothing is consumed by a failure
    }
    return item.status().detail();
}

TEST(Cbor, NumbersOfEveryWidth) {
    for (const uint64_t value :
         {uint64_t{0}, uint64_t{23}, uint64_t{24}, uint64_t{255}, uint64_t{256}, uint64_t{65535},
          uint64_t{65536}, uint64_t{0xFFFFFFFF}, uint64_t{0x100000000}, UINT64_MAX}) {
        const Buffer encoded = cbor::head(0, value);
        CborReader reader(encoded);
        EXPECT_TRUE(*reader.unsigned_number() == value);
        CborReader as_signed(encoded);
        EXPECT_EQ(as_signed.number().ok(), value <= static_cast<uint64_t>(INT64_MAX));
    }
    for (const int64_t value :
         {int64_t{-1}, int64_t{-24}, int64_t{-25}, int64_t{-257}, INT64_MIN}) {
        const Buffer encoded = cbor::number(value);
        CborReader reader(encoded);
        EXPECT_FALSE(reader.unsigned_number().ok());
        EXPECT_TRUE(*reader.number() == value);
    }
}

TEST(Cbor, OnlyTheShortestDefiniteForm) {
    EXPECT_EQ(whole_item({0x18, 0x17}), Detail::kCborForm);        // 23 in two bytes
    EXPECT_EQ(whole_item({0x19, 0x00, 0xFF}), Detail::kCborForm);  // 255 in three
    EXPECT_EQ(whole_item({0x1B, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF}), Detail::kCborForm);
    EXPECT_EQ(whole_item({0x5F, 0x41, 0x00, 0xFF}), Detail::kCborForm);  // indefinite
    EXPECT_EQ(whole_item({0x9F, 0xFF}), Detail::kCborForm);
    EXPECT_EQ(whole_item({0x1C}), Detail::kCborForm);        // reserved
    EXPECT_EQ(whole_item({0xF9, 0, 0}), Detail::kCborForm);  // half float
    EXPECT_EQ(whole_item({0xE0}), Detail::kCborForm);        // unassigned simple value
    EXPECT_EQ(whole_item({0xF7}), Detail::kCborForm);        // undefined
    for (uint8_t simple = 0xF4; simple <= 0xF6; ++simple) {
        EXPECT_EQ(whole_item({simple}), Detail::kNone);
    }
}

TEST(Cbor, EveryTruncationIsNoticed) {
    const Buffer item = cbor::map({{cbor::number(1), cbor::bytes(Buffer(300, 7))},
                                   {cbor::text("key"), cbor::array({cbor::number(-70000)})}});
    EXPECT_EQ(whole_item(item), Detail::kNone);
    for (size_t n = 0; n < item.size(); ++n) {
        EXPECT_EQ(whole_item(Buffer(item.begin(), item.begin() + static_cast<long>(n))),
                  Detail::kCborTruncated)
            << n;
    }
}

TEST(Cbor, CountsThatCannotBeTrueAreRefusedAtOnce) {
    EXPECT_EQ(whole_item({0x9B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}),
              Detail::kCborTruncated);
    EXPECT_EQ(whole_item({0x5B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3}),
              Detail::kCborTruncated);
    EXPECT_EQ(whole_item({0xA2, 0x01, 0x02}), Detail::kCborTruncated);
}

TEST(Cbor, NestingHasABound) {
    Buffer item = cbor::number(1);
    for (int i = 0; i < CborReader::kMaxNesting; ++i) item = cbor::array({item});
    EXPECT_EQ(whole_item(item), Detail::kNone);
    EXPECT_EQ(whole_item(cbor::array({item})), Detail::kNestingTooDeep);
}

TEST(Cbor, OtherTypesAreLeftWhereTheyAre) {
    const Buffer encoded = cbor::text("app");
    CborReader reader(encoded);
    EXPECT_EQ(reader.bytes().status().detail(), Detail::kCborType);
    EXPECT_EQ(reader.array().status().detail(), Detail::kCborType);
    EXPECT_EQ(reader.null().detail(), Detail::kCborType);
    EXPECT_EQ(reader.tag(107).detail(), Detail::kCborType);
    EXPECT_TRUE(*reader.text() == "app");
}

TEST(Cbor, KeysAscendBytewise) {
    CborKeyOrder order;
    for (const int64_t key : {0, 1, 23, 24, 1000, -1, -2, -300}) {
        EXPECT_TRUE(order.next(key).ok()) << key;
    }
    EXPECT_EQ(order.next(-300).detail(), Detail::kCborOrder);  // twice
    CborKeyOrder other;
    EXPECT_TRUE(other.next(-1).ok());
    EXPECT_EQ(other.next(5).detail(), Detail::kCborOrder);
}

}  // namespace
}  // namespace ota
