#include "identity.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "https_settings.hpp"
#include "ota_manager.h"

namespace {

using Path = std::array<char, 512>;

Path path_of(const void* user, ota_identity_place_t place, const char* end = "") {
    Path out{};
    std::snprintf(out.data(), out.size(), "%s/%s%s", static_cast<const Identity*>(user)->folder(),
                  place == OTA_IDENTITY_CURRENT ? "current" : "pending", end);
    return out;
}

esp_err_t load(ota_identity_place_t place, void* data, size_t capacity, size_t* size, void* user) {
    *size = 0;
    FILE* file = std::fopen(path_of(user, place).data(), "rb");
    if (file == nullptr) return ESP_OK;
    *size = std::fread(data, 1, capacity, file);
    const bool good = std::ferror(file) == 0;
    (void)std::fclose(file);
    return good ? ESP_OK : ESP_FAIL;
}

// Under another name first: a loss of power leaves the old bytes or the new ones.
esp_err_t save(ota_identity_place_t place, const void* data, size_t size, void* user) {
    const Path path = path_of(user, place);
    if (size == 0) return unlink(path.data()) == 0 || errno == ENOENT ? ESP_OK : ESP_FAIL;
    const Path part = path_of(user, place, ".part");
    const int file = open(part.data(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return ESP_FAIL;
    const bool written = write(file, data, size) == static_cast<ssize_t>(size) && fsync(file) == 0;
    (void)close(file);
    return written && rename(part.data(), path.data()) == 0 ? ESP_OK : ESP_FAIL;
}

}  // namespace

bool Identity::get(const Arguments& arguments, const ota_aws_iot_config_t& aws) {
    std::array<char, 16384> claim{};
    const bool is_whole = arguments.claim != nullptr && arguments.identity != nullptr;
    if (!is_whole || !read_text_file(arguments.claim, claim)) {
        std::fprintf(stderr, "firmware: provision= needs claim= and identity=\n");
        return false;
    }
    folder_ = arguments.identity;
    (void)mkdir(folder_, 0700);
    ota_provisioning_config_t config{};
    config.endpoint = aws.endpoint;
    config.port = aws.port;
    config.root_ca_pem = aws.root_ca_pem;
    config.claim_cert_pem = config.claim_key_pem = claim.data();
    config.template_name = arguments.provision;
    config.serial_number = arguments.serial_number;
    config.load = load;
    config.save = save;
    config.idle = [](void* user) { static_cast<Identity*>(user)->beat(); };
    config.user_data = this;
    config.timeout_ms = 600000;
    if (ota_manager_provision(&config, &value_) == ESP_OK) {
        std::printf("firmware: this is the thing %s\n", value_.thing_name);
        std::fflush(stdout);
        return true;
    }
    std::fprintf(stderr, "firmware: not provisioned: %s\n", ota_manager_config_error());
    return false;
}
