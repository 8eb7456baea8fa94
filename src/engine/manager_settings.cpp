// What the owner sets from afar, over the firmware's own.
#include "base/crc32.hpp"
#include "engine/manager.hpp"

namespace ota {

void Manager::set_thresholds(const SafetyThresholds& thresholds) {
    own_settings_.thresholds = thresholds;
    apply_settings();
}

// None where nobody could take them back.
const RemoteSettings& Manager::asked_settings() const {
    static constexpr RemoteSettings kNone{};
    const bool counts = build::kRemoteSettings && settings_.remote_settings;
    return counts ? journal_.remote_settings() : kNone;
}

void Manager::apply_settings() {
    const uint32_t interval_before = settings_.check_interval_ms;
    settings_.check_interval_ms = own_settings_.check_interval_ms;
    settings_.automatic_update = own_settings_.automatic_update;
    settings_.rollback_timeout_ms = own_settings_.rollback_timeout_ms;
    apply_remote_settings(asked_settings(), own_settings_, settings_);
    // A whole fleet may have got it at one moment.
    if (settings_.check_interval_ms != interval_before) is_spread_ = false;
    gate_.set_thresholds(settings_.thresholds);
}

Status Manager::take_settings(std::string_view json, SettingsCarrier carrier) {
    if constexpr (!build::kRemoteSettings) {
        return {Code::kIncompatible, Origin::kEngine, Detail::kLeftOut};
    } else {
        RemoteSettings asked;
        OTA_TRY(parse_remote_settings(json, own_settings_, carrier, asked, refused_settings_));
        tell_refused_settings(json);
        if (asked == journal_.remote_settings()) return {};
        OTA_TRY(journal_.save(asked));
        const uint32_t interval_before = settings_.check_interval_ms;
        apply_settings();
        if (settings_sink_ != nullptr) settings_sink_->on_settings(asked);
        // Other changes leave the time of the next check as it is.
        if (settings_.check_interval_ms != interval_before) schedule_check();
        return {};
    }
}

// Once of each document, which a shadow brings again at each connection.
void Manager::tell_refused_settings(std::string_view json) {
    const uint32_t document = crc32(0, as_bytes(json));
    if (document == told_settings_ || settings_sink_ == nullptr) return;
    told_settings_ = document;
    for (const RefusedSetting& setting : refused_settings_) {
        settings_sink_->on_refused_setting(setting.name.view(), setting.why);
    }
}

void Manager::describe_settings(SettingsText& out) const {
    if constexpr (build::kRemoteSettings) {
        format_remote_settings(settings_, asked_settings(), refused_settings_, out);
    }
}

// Without a clock a window can't be kept: then it does not count, for a device that never updates
// is worse. What was begun goes on.
bool Manager::is_out_of_window() const {
    const std::optional<UpdateWindow>& window = asked_settings().window;
    const UnixTime now = ports_.clock.wall();
    const bool is_begun = journal_.update().stage == UpdateStage::kStaging || session_.waits();
    return window && floor_.is_set(now) && !window->holds(now) && !is_begun;
}

}  // namespace ota
