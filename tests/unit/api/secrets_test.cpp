// Credentials do not stay in RAM after the manager is closed.
#include <string>

#include "api/api_bench.hpp"

extern char __bss_start;  // the linker's: zero-initialised data, where the instance lives
extern char _end;

namespace api_test {
namespace {

// "device:TopSecret-7261", base64 as the request field carries it; joined so that the constant is
// no hit itself.
bool holds_the_token() {
    const std::string token = std::string("ZGV2aWNlOlRvcFNl") + "Y3JldC03MjYx";
    const std::string_view memory(&__bss_start, static_cast<size_t>(&_end - &__bss_start));
    return memory.find(token) != std::string_view::npos;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMayLook = false;  // the red zones between variables are no string
#else
constexpr bool kMayLook = true;
#endif

TEST_F(CApi, DeinitWipesCredentials) {
    if (!kMayLook) GTEST_SKIP() << "memory can't be searched under this sanitizer";
    ota_manager_config_t config = OTA_MANAGER_CONFIG_DEFAULT();
    config.config.https.url = "https://127.0.0.1:1/bess.bin";
    config.config.https.basic_auth_user = "device";
    config.config.https.basic_auth_pass = "TopSecret-7261";
    config.public_key_pem = test::public_pem(test::Key::kEc);
    start(config);
    ASSERT_EQ(ota_manager_check_for_update(), ESP_OK);
    ASSERT_EQ(wait(OTA_STATUS_FAILED), ESP_OK);
    ASSERT_EQ(ota_manager_stop(), ESP_OK);
    EXPECT_TRUE(holds_the_token());
    ASSERT_EQ(ota_manager_deinit(), ESP_OK);
    EXPECT_FALSE(holds_the_token());
}

}  // namespace
}  // namespace api_test
