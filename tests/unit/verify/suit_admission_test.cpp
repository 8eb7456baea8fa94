#include "verify/suit_admission.hpp"

#include "support/suit_factory.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

namespace cbor = test::cbor;

bool matches(uint64_t comparison, const std::vector<int64_t>& parts, std::string_view running) {
    std::vector<test::Buffer> items;
    for (const int64_t part : parts) items.push_back(cbor::number(part));
    const test::Buffer match = cbor::array({cbor::head(0, comparison), cbor::array(items)});
    const Result<bool> result = version_matches(match, running);
    EXPECT_TRUE(result.ok());
    return result.ok() && *result;
}

TEST(SuitVersion, ComparesAsTheDraftSays) {
    enum : uint64_t { kGreater = 1, kGreaterEqual, kEqual, kLessEqual, kLess };
    EXPECT_TRUE(matches(kGreater, {1, 2}, "1.3.0"));
    EXPECT_FALSE(matches(kGreater, {1, 3}, "1.3.9"));  // the list ends: 1.3 is equal
    EXPECT_TRUE(matches(kEqual, {1, 3}, "1.3.9"));
    EXPECT_TRUE(matches(kGreaterEqual, {1, 3}, "1.3.0"));
    EXPECT_TRUE(matches(kLess, {2}, "1.99.99"));
    EXPECT_TRUE(matches(kLessEqual, {2}, "2.5.0"));
    // A pre-release is older than its release, and they are ordered among themselves.
    EXPECT_TRUE(matches(kLess, {2, 0, 0}, "2.0.0-rc.1"));
    EXPECT_FALSE(matches(kGreaterEqual, {2, 0, 0}, "2.0.0-rc.1"));
    EXPECT_TRUE(matches(kGreater, {2, 0, 0, -2, 9}, "2.0.0-rc.1"));  // rc after beta
    EXPECT_TRUE(matches(kLess, {2, 0, 0, -1, 2}, "2.0.0-rc.1"));
    EXPECT_TRUE(matches(kEqual, {2, 0, 0, -3}, "2.0.0-alpha.7"));
}

TEST(SuitVersion, MalformedOnesAreErrors) {
    const test::Buffer no_list = cbor::array({cbor::number(1), cbor::number(1)});
    EXPECT_FALSE(version_matches(no_list, "1.0.0").ok());
    const test::Buffer unknown = cbor::array({cbor::number(6), cbor::array({cbor::number(1)})});
    EXPECT_EQ(version_matches(unknown, "1.0.0").status().detail(), Detail::kVersionCondition);
    const test::Buffer fine = cbor::array({cbor::number(1), cbor::array({cbor::number(1)})});
    EXPECT_FALSE(version_matches(fine, "no version").ok());
}

TEST(SuitVersion, TextForPeople) {
    const auto text = [](const std::vector<int64_t>& parts) {
        std::vector<test::Buffer> items;
        for (const int64_t part : parts) items.push_back(cbor::number(part));
        VersionText out;
        EXPECT_TRUE(version_text(cbor::array(items), out).ok());
        return out;
    };
    EXPECT_STREQ(text({1, 4, 0}).c_str(), "1.4.0");
    EXPECT_STREQ(text({2, 0, 0, -1, 3}).c_str(), "2.0.0-rc.3");
    EXPECT_STREQ(text({7}).c_str(), "7");
}

TEST(SuitSequence, NewerOrTheVerySame) {
    ConfirmedRecord confirmed;
    confirmed.sequence_number = 10;
    confirmed.package_id.fill(1);
    Digest other{};
    EXPECT_TRUE(check_sequence(11, other, confirmed.sequence_number, confirmed.package_id).ok());
    EXPECT_EQ(
        check_sequence(10, confirmed.package_id, confirmed.sequence_number, confirmed.package_id)
            .detail(),
        Detail::kVersionSame);
    EXPECT_EQ(check_sequence(10, other, confirmed.sequence_number, confirmed.package_id).detail(),
              Detail::kSequenceNumber);
    EXPECT_EQ(
        check_sequence(9, confirmed.package_id, confirmed.sequence_number, confirmed.package_id)
            .detail(),
        Detail::kSequenceNumber);
    EXPECT_TRUE(check_sequence(1, other, 0, Digest()).ok());
}

}  // namespace
}  // namespace ota
