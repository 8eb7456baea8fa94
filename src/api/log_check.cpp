#include "api/log_check.hpp"

#include "api/config_fields.hpp"
#include "ports/file_store.hpp"
#include "sources/aws/aws_link.hpp"

namespace ota {

namespace {

// So long that a request's head and URL hold them (observe/cloudwatch.cpp).
constexpr size_t kMaxLogName = 200;
constexpr size_t kMaxLogHost = 200;

const char* check_log_file(const ota_log_sd_card_t& c) {
    if (!is_log_level(c.level)) return "sd_card.level: an ota_log_level_t";
    if (c.directory == nullptr) return nullptr;
    if (c.directory[0] != '/' || !fits(c.directory, kMaxConfiguredPath)) {
        return "sd_card.directory: below the mount point, up to 240 characters";
    }
    if (c.max_file_size != 0 && c.max_file_size < 4096) {
        return "sd_card.max_file_size: 4096 and more, or 0";
    }
    if (c.max_files == 1 || c.max_files > 999) return "sd_card.max_files: 2 to 999, or 0";
    return nullptr;
}

const char* check_cloudwatch(const ota_log_cloudwatch_t& c) {
    if (!is_log_level(c.level)) return "cloudwatch.level: an ota_log_level_t";
    if (c.endpoint == nullptr) return nullptr;
    // Clients leave it out of Host, which is signed.
    const bool has_default_port = text_of(c.endpoint).ends_with(":443");
    if (has_default_port || !consists_of(c.endpoint, ".-:", kMaxLogHost)) {
        return "cloudwatch.endpoint: a host name, without :443";
    }
    if (!consists_of(text_of(c.credentials_endpoint), ".-:", kMaxLogHost)) {
        return "cloudwatch.credentials_endpoint: a host name";
    }
    if (!consists_of(text_of(c.region), "-", 32)) return "cloudwatch.region: as in eu-central-1";
    const std::string_view group = text_of(c.log_group);
    if (!consists_of(group, ".-_/#", kMaxLogName) || group.starts_with("aws/")) {
        return "cloudwatch.log_group: 1 to 200 of a-z A-Z 0-9 . - _ / #, not beginning with aws/";
    }
    if (!consists_of(text_of(c.thing_name), ":_-", kMaxThingName)) {
        return "cloudwatch.thing_name: 1 to 128 of a-z A-Z 0-9 : _ -";
    }
    const std::string_view stream = text_of(is_empty(c.log_stream) ? c.thing_name : c.log_stream);
    if (!consists_of(stream, ".-_/#", kMaxLogName)) {
        return "cloudwatch.log_stream: 1 to 200 of a-z A-Z 0-9 . - _ / #; a thing's name with : is "
               "none";
    }
    if (!consists_of(text_of(c.role_alias), "_=,@-", 128)) {
        return "cloudwatch.role_alias: 1 to 128 of a-z A-Z 0-9 _ = , @ -";
    }
    if (is_empty(c.device_cert_pem) || is_empty(c.device_key_pem)) {
        return "cloudwatch.device_cert_pem, device_key_pem: both";
    }
    if (c.metrics_namespace != nullptr && !consists_of(c.metrics_namespace, ".-_/#:", 64)) {
        return "cloudwatch.metrics_namespace: 1 to 64 of a-z A-Z 0-9 . - _ / # :";
    }
    return nullptr;
}

}  // namespace

bool is_log_level(ota_log_level_t level) {
    return level >= OTA_LOG_DEFAULT && level <= OTA_LOG_DEBUG;
}

const char* check_log(const ota_log_config_t& c) {
    if (!is_log_level(c.console_level)) return "console_level: an ota_log_level_t";
    if (const char* error = check_log_file(c.sd_card)) return error;
    return check_cloudwatch(c.cloudwatch);
}

}  // namespace ota
