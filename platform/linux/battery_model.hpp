#pragma once

#include <mutex>
#include <string_view>

#include "ota_manager_types.h"

namespace ota {

// The twin's BMS. Values come as "key=value" words, from a file or over the control socket:
// soc (%), t_min, t_max (°C, fractions allowed), current (A), energy (kWh), stale (ms of age),
// fail (1 = no data). Any thread.
class BatteryModel {
  public:
    // Applies each word; false and nothing of it for an unknown key or a bad number.
    bool apply(std::string_view words);
    // Applies the file if it changed since the last call; a missing file changes nothing.
    void reload(const char* path);
    bool read(ota_battery_reading_t& out);

  private:
    struct Values {
        ota_battery_reading_t reading{80, 18000, 24000, 0, 160000000, 0};
        bool fail = false;
    };
    struct FileState {
        int64_t seconds = 0;
        int64_t nanoseconds = 0;
        int64_t size = 0;
        bool operator==(const FileState&) const = default;
    };
    static bool apply_word(std::string_view word, Values& values);

    std::mutex mutex_;
    Values values_;
    FileState file_state_;
};

}  // namespace ota
