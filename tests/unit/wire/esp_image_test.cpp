#include "wire/esp_image.hpp"

#include "support/image_factory.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

// Feeds in pieces of step bytes; ok when the walker reaches the end of the image.
Status walk(Bytes image, size_t step, uint64_t& length) {
    EspImageWalker walker;
    size_t at = 0;
    while (at < image.size() && walker.region() != EspImageWalker::Region::kDone) {
        const Bytes piece = image.subspan(at, std::min(step, image.size() - at));
        OTA_TRY_ASSIGN(const size_t n, walker.feed(piece));
        EXPECT_NE(n, 0U);
        at += n;
    }
    length = walker.position();
    const bool whole = walker.region() == EspImageWalker::Region::kDone;
    return whole ? kOkStatus : Status{Code::kMalformed, Origin::kPackage, Detail::kImageLength};
}

Detail finding(const test::Buffer& image) {
    uint64_t length = 0;
    return walk(image, 4096, length).detail();
}

TEST(EspImage, IdentityComesFromTheFirst288Bytes) {
    test::ImageSpec spec;
    spec.version = "1.2.3";
    spec.project = "bess";
    spec.secure_version = 7;
    spec.min_chip_revision = 100;
    spec.max_chip_revision = 199;
    const test::Buffer image = test::make_image(spec);
    ImageIdentity identity;
    ASSERT_TRUE(parse_image_identity(Bytes(image).first(layout::kImagePrefixSize), identity).ok());
    EXPECT_STREQ(identity.version.c_str(), "1.2.3");
    EXPECT_STREQ(identity.project.c_str(), "bess");
    EXPECT_EQ(identity.chip_id, 0x12);
    EXPECT_EQ(identity.min_chip_revision, 100);
    EXPECT_EQ(identity.max_chip_revision, 199);
    EXPECT_EQ(identity.secure_version, 7U);
}

TEST(EspImage, IdentityRefusesEachBadField) {
    const test::Buffer good = test::make_image({});
    const auto broken = [&](size_t at, uint8_t value) {
        test::Buffer image = good;
        image[at] = value;
        ImageIdentity identity;
        return parse_image_identity(Bytes(image).first(layout::kImagePrefixSize), identity)
            .detail();
    };
    EXPECT_EQ(broken(0, 0xE8), Detail::kImageMagic);
    EXPECT_EQ(broken(1, 0), Detail::kImageSegments);
    EXPECT_EQ(broken(1, 17), Detail::kImageSegments);
    EXPECT_EQ(broken(32, 0), Detail::kImageDescriptor);
    ImageIdentity identity;
    EXPECT_EQ(parse_image_identity(Bytes(good).first(287), identity).detail(),
              Detail::kImageLength);
}

TEST(EspImage, UnterminatedTextIsCutAtTheField) {
    test::ImageSpec spec;
    spec.version = "12345678901234567890123456789012";  // 32 characters, no NUL
    const test::Buffer image = test::make_image(spec);
    ImageIdentity identity;
    ASSERT_TRUE(parse_image_identity(Bytes(image).first(layout::kImagePrefixSize), identity).ok());
    EXPECT_EQ(identity.version.view().size(), 32U);
}

TEST(EspImageWalker, FindsTheEndWhateverThePieces) {
    const test::Buffer image = test::make_image({});
    for (const size_t step : {1U, 2U, 7U, 252U, 256U, 4095U, 4096U, 4097U, 100000U}) {
        uint64_t length = 0;
        EXPECT_TRUE(walk(image, step, length).ok()) << step;
        EXPECT_EQ(length, image.size()) << step;
    }
}

TEST(EspImageWalker, StopsAtEveryTruncation) {
    const test::Buffer image = test::make_image({});
    for (size_t size = 0; size < image.size(); size += 13) {
        uint64_t length = 0;
        EXPECT_FALSE(walk(Bytes(image).first(size), 4096, length).ok()) << size;
    }
}

TEST(EspImageWalker, NamesEachFault) {
    const test::Buffer good = test::make_image({});
    const auto with = [&](size_t at, uint8_t value) {
        test::Buffer image = good;
        image[at] = value;
        return image;
    };
    EXPECT_EQ(finding(with(0, 0x00)), Detail::kImageMagic);
    EXPECT_EQ(finding(with(1, 0)), Detail::kImageSegments);
    EXPECT_EQ(finding(with(1, 17)), Detail::kImageSegments);
    EXPECT_EQ(finding(with(23, 0)), Detail::kImageHash);
    EXPECT_EQ(finding(with(28, 2)), Detail::kImageSegments);  // length not a multiple of 4
    EXPECT_EQ(finding(with(29, 0)), Detail::kImageSegments);  // empty
    test::Buffer small = with(29, 0);
    small[28] = 0xFC;
    EXPECT_EQ(finding(small), Detail::kImageDescriptor);         // first segment below 256 bytes
    EXPECT_EQ(finding(with(31, 0xFF)), Detail::kImageSegments);  // longer than any chip
    EXPECT_EQ(finding(with(24, 0x24)), Detail::kImageSegments);  // mapped and misaligned
    EXPECT_EQ(finding(with(400, static_cast<uint8_t>(good[400] ^ 1))), Detail::kImageChecksum);
}

}  // namespace
}  // namespace ota
