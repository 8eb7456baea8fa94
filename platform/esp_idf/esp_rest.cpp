#include "esp_idf/esp_rest.hpp"

#include <freertos/task.h>
#include <sys/select.h>

#include <algorithm>

namespace ota {
namespace {

constexpr Millis kBesideSockets = 1;

}  // namespace

EspRest::EspRest(const TcpServer& tcp, EspTwai* twai) : tcp_(tcp), twai_(twai) {
    if (twai_ == nullptr) return;
    esp_timer_create_args_t timer{};
    timer.callback = [](void* wake) { static_cast<Wake*>(wake)->give(); };
    timer.arg = &twai_->wake();
    timer.name = "ota_rest";
    if (esp_timer_create(&timer, &timer_) != ESP_OK) timer_ = nullptr;
}

EspRest::~EspRest() {
    if (timer_ == nullptr) return;
    (void)esp_timer_stop(timer_);
    (void)esp_timer_delete(timer_);
}

void EspRest::rest(Millis longest) {
    if (twai_ != nullptr && twai_->is_open()) return rest_on_bus(longest);
    rest_on_sockets(longest);
}

// What comes on a socket meanwhile waits: not long, where one is open.
void EspRest::rest_on_bus(Millis longest) {
    const auto sockets = tcp_.descriptors();
    const bool is_open = std::any_of(sockets.begin(), sockets.end(), [](int s) { return s >= 0; });
    if (is_open) longest = std::min<Millis>(longest, kBesideSockets);
    const bool is_timed =
        timer_ != nullptr && esp_timer_start_once(timer_, uint64_t{longest} * 1000) == ESP_OK;
    // The ticks are for a timer that could not be had, or comes late.
    twai_->wake().take(is_timed ? pdMS_TO_TICKS(longest) + 2 : 1);
    if (is_timed) (void)esp_timer_stop(timer_);
}

// Without a socket, which a UART has not, a tick.
void EspRest::rest_on_sockets(Millis longest) {
    fd_set readable;
    FD_ZERO(&readable);
    int highest = -1;
    for (const int socket : tcp_.descriptors()) {
        if (socket < 0) continue;
        FD_SET(socket, &readable);
        highest = std::max(highest, socket);
    }
    if (highest < 0) return vTaskDelay(1);
    timeval wait{0, static_cast<suseconds_t>(longest * 1000)};
    (void)select(highest + 1, &readable, nullptr, nullptr, &wait);
}

}  // namespace ota
