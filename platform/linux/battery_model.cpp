#include "linux/battery_model.hpp"

#include <sys/stat.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace ota {
namespace {

bool parse_number(std::string_view text, double& out) {
    std::array<char, 32> copy{};
    if (text.empty() || text.size() >= copy.size()) return false;
    text.copy(copy.data(), text.size());
    char* end = nullptr;
    out = std::strtod(copy.data(), &end);
    return *end == '\0' && std::isfinite(out) && std::fabs(out) < 1e6;
}

bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

}  // namespace

bool BatteryModel::apply_word(std::string_view word, Values& values) {
    const size_t equal = word.find('=');
    double number = 0;
    if (equal == std::string_view::npos || !parse_number(word.substr(equal + 1), number))
        return false;
    const std::string_view key = word.substr(0, equal);
    ota_battery_reading_t& reading = values.reading;
    if (key == "soc") {
        reading.soc_percent = static_cast<int32_t>(number);
    } else if (key == "t_min") {
        reading.t_min_millicelsius = static_cast<int32_t>(number * 1000);
    } else if (key == "t_max") {
        reading.t_max_millicelsius = static_cast<int32_t>(number * 1000);
    } else if (key == "current") {
        reading.current_milliampere = static_cast<int32_t>(number * 1000);
    } else if (key == "energy") {
        reading.usable_energy_mwh = static_cast<uint32_t>(std::fabs(number) * 1e6);
    } else if (key == "stale") {
        reading.age_ms = static_cast<uint32_t>(std::fabs(number));
    } else if (key == "fail") {
        values.fail = number != 0;
    } else {
        return false;
    }
    return true;
}

bool BatteryModel::apply(std::string_view words) {
    const std::lock_guard lock(mutex_);
    Values next = values_;
    while (true) {
        while (!words.empty() && is_space(words[0])) words.remove_prefix(1);
        if (words.empty()) break;
        size_t length = 0;
        while (length < words.size() && !is_space(words[length])) ++length;
        if (!apply_word(words.substr(0, length), next)) return false;
        words.remove_prefix(length);
    }
    values_ = next;
    return true;
}

void BatteryModel::reload(const char* path) {
    struct stat info {};
    if (stat(path, &info) != 0) return;
    // The size too: two writes within one tick of the file system's clock have one time.
    const FileState state{info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_size};
    if (state == file_state_) return;
    FILE* file = std::fopen(path, "r");
    if (file == nullptr) return;
    std::array<char, 512> text{};
    const size_t n = std::fread(text.data(), 1, text.size(), file);
    (void)std::fclose(file);
    // A file caught while it is written is empty or has a word that does not parse; it is read
    // again.
    if (n != 0 && apply({text.data(), n})) file_state_ = state;
}

bool BatteryModel::read(ota_battery_reading_t& out) {
    const std::lock_guard lock(mutex_);
    out = values_.reading;
    return !values_.fail;
}

}  // namespace ota
