// Where the links' task rests (LinkRest).
#pragma once

#include <esp_timer.h>

#include "api/platform.hpp"
#include "esp_idf/esp_twai.hpp"
#include "posix/tcp_server.hpp"

namespace ota {

// Until a frame has come on the CAN bus, or, without one that is open, on a socket. With CAN it is
// timed to the millisecond by esp_timer, for a tick of FreeRTOS is ten times as long as ISO-TP's
// gaps.
class EspRest final : public LinkRest {
  public:
    // twai: null: this build has no CAN.
    EspRest(const TcpServer& tcp, EspTwai* twai);
    ~EspRest();
    EspRest(const EspRest&) = delete;
    EspRest& operator=(const EspRest&) = delete;
    void rest(Millis longest) override;

  private:
    void rest_on_bus(Millis longest);
    void rest_on_sockets(Millis longest);

    const TcpServer& tcp_;
    EspTwai* const twai_;
    esp_timer_handle_t timer_ = nullptr;
};

}  // namespace ota
