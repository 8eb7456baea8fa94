#include "control.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "base/hex.hpp"
#include "ota_manager.h"

namespace {

struct Call {
    const char* word;
    esp_err_t (*function)();
};
constexpr Call kCalls[] = {
    {"check", ota_manager_check_for_update},
    {"start", ota_manager_start_update},
    {"apply", ota_manager_apply},
    {"abort", ota_manager_abort},
    {"confirm", ota_manager_confirm},
    {"rollback", ota_manager_rollback},
};

void write_status(char* reply, unsigned size) {
    ota_boot_status_t boot{};
    ota_error_info_t error{};
    ota_report_t report{};
    ota_update_info_t offer{};
    size_t received = 0;
    size_t total = 0;
    (void)ota_manager_get_boot_status(&boot);
    (void)ota_manager_get_last_error(&error);
    (void)ota_manager_get_last_report(&report);
    (void)ota_manager_get_update_info(&offer);
    (void)ota_manager_get_progress(&received, &total);
    for (char& c : offer.notes) {
        if (c == '"' || c == '\\') c = '\'';  // anybody's text, inside a JSON string
    }
    std::snprintf(
        reply, size,
        "{\"status\":\"%s\",\"slot\":%u,\"trial\":%s,\"paused\":%s,\"error\":%d,"
        "\"detail\":\"%s\",\"reading\":%ld,\"limit\":%ld,\"received\":%zu,\"total\":%zu,"
        "\"report\":{\"ended\":%s,\"confirmed\":%s,\"reason\":\"%s\",\"version\":\"%s\","
        "\"probe\":\"%s\",\"outcome\":\"%s\",\"source\":\"%s\",\"phase\":\"%s\",\"why\":\"%s\","
        "\"reset\":\"%s\",\"received\":%lu,\"resumed_at\":%lu,\"retries\":%u,\"pauses\":%u},"
        "\"offer\":{\"version\":\"%s\",\"size\":%lu,\"notes\":\"%s\"}}",
        ota_manager_status_to_string(ota_manager_get_status()), boot.running_slot,
        boot.trial ? "true" : "false", boot.paused ? "true" : "false",
        static_cast<int>(error.error), error.detail, static_cast<long>(error.reading),
        static_cast<long>(error.limit), received, total, report.ended ? "true" : "false",
        report.confirmed ? "true" : "false",
        ota_manager_revert_reason_to_string(report.revert_reason), report.version, report.probe,
        ota_manager_outcome_to_string(report.attempt.outcome),
        ota_manager_source_to_string(report.attempt.source),
        ota_manager_status_to_string(report.attempt.phase), report.attempt.detail,
        ota_manager_reset_to_string(report.attempt.reset),
        static_cast<unsigned long>(report.attempt.received),
        static_cast<unsigned long>(report.attempt.resumed_at), report.attempt.retries,
        report.attempt.pauses, offer.version, static_cast<unsigned long>(offer.size), offer.notes);
}

// Size and digest of what the application finds as its configuration, and that it can be read.
void write_configuration(char* reply, unsigned size) {
    ota_configuration_t configuration{};
    const esp_err_t error = ota_manager_get_configuration(&configuration);
    if (error != ESP_OK) {
        std::snprintf(reply, size, "error 0x%x", static_cast<unsigned>(error));
        return;
    }
    std::array<uint8_t, 16> start{};
    const size_t length = std::min<size_t>(start.size(), configuration.size);
    if (ota_manager_read_configuration(0, start.data(), length) != ESP_OK) {
        std::snprintf(reply, size, "error: it can't be read");
        return;
    }
    for (uint8_t& byte : start) {
        const bool plain = byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\';
        if (!plain) byte = '.';  // anybody's bytes, inside a JSON string
    }
    ota::Digest digest;
    std::copy_n(configuration.sha256, digest.size(), digest.begin());
    std::snprintf(reply, size, "{\"size\":%lu,\"sha256\":\"%s\",\"start\":\"%.*s\"}",
                  static_cast<unsigned long>(configuration.size), ota::hex_text(digest).c_str(),
                  static_cast<int>(length), reinterpret_cast<const char*>(start.data()));
}

void write_components(char* reply, unsigned size) {
    static constexpr const char* kNames[] = {"app", "app/run", "cfg", "stage", "bms"};
    ota_report_t report{};
    (void)ota_manager_get_last_report(&report);
    unsigned at = static_cast<unsigned>(std::snprintf(reply, size, "["));
    for (uint8_t i = 0; i < report.attempt.component_count && at < size; ++i) {
        const ota_component_result_t& result = report.attempt.components[i];
        at += static_cast<unsigned>(
            std::snprintf(reply + at, size - at, "%s[\"%s\",%u,\"%s\",\"%s\"]", i == 0 ? "" : ",",
                          kNames[result.kind], result.number,
                          ota_manager_component_outcome_to_string(result.outcome), result.detail));
    }
    if (at < size) std::snprintf(reply + at, size - at, "]");
}

}  // namespace

Control::~Control() {
    if (fd_ >= 0) close(fd_);
}

bool Control::open(const char* path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (std::strlen(path) >= sizeof address.sun_path) return false;
    std::strcpy(address.sun_path, path);
    (void)unlink(path);
    fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return fd_ >= 0 && bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

bool Control::serve(int timeout_ms) {
    if (fd_ < 0) {
        (void)poll(nullptr, 0, timeout_ms);
        return true;
    }
    pollfd ready = {fd_, POLLIN, 0};
    if (poll(&ready, 1, timeout_ms) <= 0) return true;
    std::array<char, 512> command{};
    std::array<char, 2048> reply{};
    sockaddr_un peer{};
    socklen_t length = sizeof peer;
    const ssize_t n = recvfrom(fd_, command.data(), command.size() - 1, 0,
                               reinterpret_cast<sockaddr*>(&peer), &length);
    if (n < 0) return true;
    const bool on = answer(command.data(), reply.data(), reply.size());
    (void)sendto(fd_, reply.data(), std::strlen(reply.data()), 0,
                 reinterpret_cast<const sockaddr*>(&peer), length);
    return on;
}

bool Control::answer(const char* command, char* reply, unsigned size) {
    constexpr const char* kBattery = "battery ";
    if (std::strncmp(command, kBattery, std::strlen(kBattery)) == 0) {
        const bool ok = battery_.apply(command + std::strlen(kBattery));
        std::snprintf(reply, size, ok ? "ok" : "error: battery key=value …");
        return true;
    }
    for (const Call& call : kCalls) {
        if (std::strcmp(command, call.word) != 0) continue;
        const esp_err_t error = call.function();
        std::snprintf(reply, size, error == ESP_OK ? "ok" : "error 0x%x",
                      static_cast<unsigned>(error));
        return true;
    }
    if (std::strcmp(command, "status") == 0) {
        write_status(reply, size);
        return true;
    }
    if (std::strcmp(command, "configuration") == 0) {
        write_configuration(reply, size);
        return true;
    }
    if (std::strcmp(command, "components") == 0) {
        write_components(reply, size);
        return true;
    }
    if (std::strcmp(command, "crash") == 0) std::raise(SIGSEGV);
    if (std::strcmp(command, "hang") == 0) {
        while (true) pause();
    }
    const bool off = std::strcmp(command, "off") == 0;
    std::snprintf(reply, size, off ? "ok" : "error: unknown command");
    return !off;
}
