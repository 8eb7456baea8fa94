#pragma once

#include <esp_log.h>

#include "ports/line_output.hpp"

namespace ota {

// Lines by ESP_LOG, under the tag ota_manager.
class EspLogOutput final : public LineOutput {
  public:
    void write(LogLevel level, std::string_view line) override {
        static constexpr char kTag[] = "ota_manager";
        const int length = static_cast<int>(line.size());
        switch (level) {
            case LogLevel::kError:
                ESP_LOGE(kTag, "%.*s", length, line.data());
                break;
            case LogLevel::kWarning:
                ESP_LOGW(kTag, "%.*s", length, line.data());
                break;
            case LogLevel::kInfo:
                ESP_LOGI(kTag, "%.*s", length, line.data());
                break;
        }
    }
};

}  // namespace ota
