#pragma once

#include <array>
#include <span>

#include "arguments.hpp"
#include "ota_manager_types.h"

// The whole text of a small file, NUL-terminated. False, and a message, if it can't be had.
bool read_text_file(const char* path, std::span<char> out);

// The HTTPS source as the twin's arguments describe it. Secrets come from files, so that they stay
// off the command line.
class HttpsSettings {
  public:
    // False and a message when a file can't be read.
    bool load(const Arguments& arguments);
    // Texts live as long as this object.
    ota_https_config_t config() const;
    // AWS IoT with the same anchors and client certificate.
    ota_aws_iot_config_t aws_iot() const;

    // CloudWatch, with the same once more.
    ota_log_cloudwatch_t cloudwatch() const;
    // In the place of thing= and client=; it outlives this object.
    void use(const ota_identity_t& identity) { identity_ = &identity; }

  private:
    template <typename Config>
    void identify(Config& config) const;

    const Arguments* arguments_ = nullptr;
    const ota_identity_t* identity_ = nullptr;
    std::array<char, 16384> ca_{};
    std::array<char, 16384> client_{};
    std::array<char, 512> user_{};
    std::array<char, 2048> token_{};
    std::array<char, 2048> header_{};
    std::array<char, 2048> code_key_{};
    const char* password_ = nullptr;
    std::array<char, 256> endpoint_{};
    uint16_t port_ = 0;
    ota_http_header_t field_{};
};
