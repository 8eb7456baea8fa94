#pragma once

#include <esp_system.h>

#include "ports/restart.hpp"

namespace ota {

// Runs the shutdown handlers that the application has registered (esp_register_shutdown_handler),
// then resets the chip.
class EspRestart final : public Restart {
  public:
    void restart() override { esp_restart(); }
};

}  // namespace ota
