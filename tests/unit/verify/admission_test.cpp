#include "verify/admission.hpp"

#include "support/test.hpp"

namespace ota {
namespace {

ImageIdentity image() {
    ImageIdentity identity;
    identity.chip_id = layout::kChipEsp32P4;
    identity.max_chip_revision = 65535;
    identity.version.assign("1.1.0");
    identity.project.assign("bess");
    return identity;
}

DeviceProfile device() {
    DeviceProfile profile;
    profile.chip_revision = 100;
    profile.version.assign("1.0.0");
    profile.project.assign("bess");
    profile.slot_size = 1000;
    return profile;
}

TEST(Admission, AcceptsWhatFits) {
    EXPECT_TRUE(admit(image(), 1000, device()).ok());
}

TEST(Admission, RefusesWithTheReason) {
    ImageIdentity other_chip = image();
    other_chip.chip_id = 9;
    EXPECT_EQ(admit(other_chip, 1, device()).detail(), Detail::kChipId);
    ImageIdentity newer_silicon = image();
    newer_silicon.min_chip_revision = 301;
    EXPECT_EQ(admit(newer_silicon, 1, device()).detail(), Detail::kChipRevision);
    ImageIdentity older_silicon = image();
    older_silicon.max_chip_revision = 99;
    EXPECT_EQ(admit(older_silicon, 1, device()).detail(), Detail::kChipRevision);
    ImageIdentity other_project = image();
    other_project.project.assign("toaster");
    EXPECT_EQ(admit(other_project, 1, device()).detail(), Detail::kProjectName);
    EXPECT_TRUE(admit(image(), 1001, device()).is(Code::kNoSpace));
}

TEST(Admission, MaximumRevisionZeroMeansNone) {
    ImageIdentity unlimited = image();
    unlimited.max_chip_revision = 0;
    EXPECT_TRUE(admit(unlimited, 1, device()).ok());
}

TEST(Admission, VersionMustBeNewer) {
    ImageIdentity identity = image();
    identity.version.assign("1.0.0");
    EXPECT_TRUE(admit(identity, 1, device()).is(Code::kNoUpdate));
    identity.version.assign("1.0.0-rc.1");
    EXPECT_EQ(admit(identity, 1, device()).detail(), Detail::kVersionOlder);
    identity.version.assign("latest");
    EXPECT_EQ(admit(identity, 1, device()).detail(), Detail::kVersionFormat);
}

TEST(Admission, SecureVersionNeverGoesBack) {
    DeviceProfile hardened = device();
    hardened.min_secure_version = 2;
    ImageIdentity identity = image();
    identity.secure_version = 1;
    EXPECT_EQ(admit(identity, 1, hardened).detail(), Detail::kSecureVersion);
    identity.secure_version = 2;
    EXPECT_TRUE(admit(identity, 1, hardened).ok());
}

TEST(Admission, RevertedBuildsAreKnown) {
    ImageIdentity identity = image();
    identity.build_id[0] = 7;
    RejectedBuilds rejected;
    EXPECT_TRUE(check_not_rejected(identity, rejected).ok());
    rejected.push_back({identity.build_id, RevertReason::kCrashed});
    EXPECT_EQ(check_not_rejected(identity, rejected).detail(), Detail::kRevertedBefore);
}

}  // namespace
}  // namespace ota
