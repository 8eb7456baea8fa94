// The signature that a job's document carries beside an image, through a whole update.
#include "engine/update_bench.hpp"
#include "support/image_factory.hpp"

namespace ota {
namespace {

struct CodeSigned : UpdateBench {
    CodeSigned() {
        code_key = test::public_pem(test::Key::kOtherEc);
        EXPECT_TRUE(boot());
        right = test::sign_beside(source.package, test::Key::kOtherEc);
    }
    Detail install() {
        (void)post(CommandKind::kStartUpdate);
        (void)run_until([&] {
            return mailbox.queue.empty() &&
                   (state() == State::kReadyToApply || state() == State::kFailed);
        });
        return state() == State::kFailed ? detail() : Detail::kNone;
    }
    std::string right;
};

TEST(CodeSignature, LetsAnImageThroughThatCarriesIt) {
    CodeSigned device;
    device.source.file_signature = device.right;
    EXPECT_EQ(device.install(), Detail::kNone);
}

TEST(CodeSignature, IsNotAskedForWhereThereAreNone) {
    CodeSigned device;
    EXPECT_EQ(device.install(), Detail::kNone);
}

TEST(CodeSignature, WithoutOneNothingIsTouched) {
    CodeSigned device;
    device.source.file_signature = "";
    const uint64_t erases = device.flash.erases();
    EXPECT_EQ(device.install(), Detail::kCodeSignature);
    EXPECT_EQ(device.flash.erases(), erases);
}

// The publisher's mistake is about the job: the same file is taken with the next one.
TEST(CodeSignature, AWrongOneDoesNotBurnTheFile) {
    for (const bool restarts : {false, true}) {
        CodeSigned device;
        device.settings.automatic_update = true;
        ASSERT_TRUE(device.boot());
        for (const std::string& wrong :
             {std::string(), test::sign_beside(device.source.package, test::Key::kEc)}) {
            device.source.file_signature = wrong;
            (void)device.post(CommandKind::kCheck);
            ASSERT_TRUE(device.run_to(State::kFailed));
            EXPECT_EQ(device.detail(), Detail::kCodeSignature);
            if (!restarts) continue;
            ASSERT_TRUE(device.boot());
        }
        device.source.file_signature = device.right;
        (void)device.post(CommandKind::kCheck);
        EXPECT_TRUE(device.run_until([&] { return device.restart_requested(); })) << restarts;
    }
}

}  // namespace
}  // namespace ota
