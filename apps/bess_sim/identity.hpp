#pragma once

#include <atomic>

#include "arguments.hpp"
#include "ota_manager_types.h"

// A device that comes without a certificate of its own gets one, at its first start: in the folder
// that identity= names, which stands for encrypted flash.
class Identity {
  public:
    explicit Identity(std::atomic<uint32_t>& heartbeat) : heartbeat_(heartbeat) {}
    // endpoint and port, and claim= and ca= as PEM. False and a message when there is none to be
    // had.
    bool get(const Arguments& arguments, const ota_aws_iot_config_t& aws);
    const ota_identity_t& value() const { return value_; }
    const char* folder() const { return folder_; }
    void beat() { ++heartbeat_; }

  private:
    std::atomic<uint32_t>& heartbeat_;
    const char* folder_ = nullptr;
    ota_identity_t value_{};
};
