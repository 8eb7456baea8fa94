#include "https_settings.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

// The text with its end cut at the first line end; what is behind mark, or null.
char* split(std::span<char> text, const char* mark) {
    text[std::strcspn(text.data(), "\r\n")] = '\0';
    char* found = std::strstr(text.data(), mark);
    if (found == nullptr) return nullptr;
    *found = '\0';
    return found + std::strlen(mark);
}

bool read_optional(const char* path, std::span<char> out) {
    return path == nullptr || read_text_file(path, out);
}

const char* text_or_null(std::span<const char> text) {
    return text[0] == '\0' ? nullptr : text.data();
}

}  // namespace

bool read_text_file(const char* path, std::span<char> out) {
    FILE* file = std::fopen(path, "r");
    size_t n = 0;
    if (file != nullptr) {
        n = std::fread(out.data(), 1, out.size() - 1, file);
        (void)std::fclose(file);
    }
    out[n] = '\0';
    if (n == 0) std::fprintf(stderr, "firmware: can't read %s\n", path);
    return n != 0;
}

bool HttpsSettings::load(const Arguments& arguments) {
    arguments_ = &arguments;
    if (!read_optional(arguments.ca, ca_) || !read_optional(arguments.client, client_) ||
        !read_optional(arguments.user, user_) || !read_optional(arguments.token, token_) ||
        !read_optional(arguments.header, header_) ||
        !read_optional(arguments.code_key, code_key_)) {
        return false;
    }
    password_ = split(user_, ":");
    (void)split(token_, "\n");
    field_ = {header_.data(), split(header_, ": ")};
    if (arguments.aws == nullptr) return true;
    std::snprintf(endpoint_.data(), endpoint_.size(), "%s", arguments.aws);
    if (const char* port = split(endpoint_, ":")) {
        port_ = static_cast<uint16_t>(std::strtoul(port, nullptr, 10));
    }
    return true;
}

template <typename Config>
void HttpsSettings::identify(Config& config) const {
    if (identity_ == nullptr) {
        config.thing_name = arguments_->thing;
        config.device_cert_pem = config.device_key_pem = text_or_null(client_);
        return;
    }
    config.thing_name = identity_->thing_name;
    config.device_cert_pem = identity_->certificate_pem;
    config.device_key_pem = identity_->key_pem;
}

ota_aws_iot_config_t HttpsSettings::aws_iot() const {
    ota_aws_iot_config_t out{};
    out.endpoint = endpoint_.data();
    out.port = port_;
    identify(out);
    out.root_ca_pem = text_or_null(ca_);
    out.code_signing_key_pem = text_or_null(code_key_);
    out.shadow = arguments_->shadow;
    out.json_streams = arguments_->json_streams;
    return out;
}

ota_log_cloudwatch_t HttpsSettings::cloudwatch() const {
    ota_log_cloudwatch_t out{};
    out.endpoint = arguments_->cloudwatch;
    out.region = "eu-central-1";
    out.log_group = arguments_->log_group;
    out.credentials_endpoint = arguments_->credentials;
    out.role_alias = "bess-log";
    identify(out);
    out.root_ca_pem = text_or_null(ca_);
    out.level = static_cast<ota_log_level_t>(arguments_->log_level);
    out.metrics_namespace = arguments_->metrics;
    return out;
}

ota_https_config_t HttpsSettings::config() const {
    ota_https_config_t out{};
    out.url = arguments_->url;
    out.cert_pem = text_or_null(ca_);
    out.basic_auth_user = text_or_null(user_);
    out.basic_auth_pass = password_;
    out.bearer_token = text_or_null(token_);
    out.client_cert_pem = out.client_key_pem = text_or_null(client_);  // one file holds both
    out.pinned_key_sha256 = arguments_->pin;
    out.max_bytes_per_day = arguments_->max_bytes;
    if (field_.value != nullptr) {
        out.headers = &field_;
        out.header_count = 1;
    }
    return out;
}
