#pragma once

#include <esp_log.h>

#include "ports/log.hpp"

namespace ota {

// Lines by ESP_LOG, under the tag ota_manager: its level can be set by that name.
class EspLogOutput final : public LogSink {
  public:
    void take(const LogRecord& record) override {
        static constexpr char kTag[] = "ota_manager";
        const int length = static_cast<int>(record.text.size());
        if (record.is_metric) return;
        switch (record.level) {
            case LogLevel::kOff:
                break;
            case LogLevel::kError:
                ESP_LOGE(kTag, "%.*s", length, record.text.data());
                break;
            case LogLevel::kWarning:
                ESP_LOGW(kTag, "%.*s", length, record.text.data());
                break;
            case LogLevel::kInfo:
                ESP_LOGI(kTag, "%.*s", length, record.text.data());
                break;
            case LogLevel::kDebug:
                ESP_LOGD(kTag, "%.*s", length, record.text.data());
                break;
        }
    }
};

}  // namespace ota
