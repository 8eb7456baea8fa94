// The application's C callbacks behind the core's ports.
#pragma once

#include "api/error_map.hpp"
#include "base/build_options.hpp"
#include "base/status_text.hpp"
#include "ports/battery.hpp"
#include "ports/health_probe.hpp"

namespace ota {

class CallbackBattery final : public Battery {
  public:
    explicit CallbackBattery(Clock& clock) : clock_(clock) {}
    void set(ota_battery_provider_t provider, void* user) {
        provider_ = provider;
        user_ = user;
    }

    Status snapshot(BatterySnapshot& out) override {
        if (provider_ == nullptr) {
            if (build::kNoBattery) {
                out = kBench;
                out.taken_at = static_cast<int64_t>(clock_.now());
                return {};
            }
            return {Code::kUnavailable, Origin::kSafety, Detail::kNoBatteryProvider};
        }
        ota_battery_reading_t reading{};
        if (!provider_(&reading, user_)) {
            return {Code::kUnavailable, Origin::kSafety, Detail::kBatteryUnreadable};
        }
        out.soc_percent = reading.soc_percent;
        out.t_min_millicelsius = reading.t_min_millicelsius;
        out.t_max_millicelsius = reading.t_max_millicelsius;
        out.current_milliampere = reading.current_milliampere;
        out.usable_energy_mwh = reading.usable_energy_mwh;
        out.taken_at = static_cast<int64_t>(clock_.now()) - reading.age_ms;
        return {};
    }

  private:
    // Of a board without a battery: full, at 25 °C and at rest.
    static constexpr BatterySnapshot kBench{100, 25000, 25000, 0, 0, 0};

    Clock& clock_;
    ota_battery_provider_t provider_ = nullptr;
    void* user_ = nullptr;
};

class CallbackProbe final : public HealthProbe {
  public:
    CallbackProbe() = default;
    CallbackProbe(const char* name, ota_health_probe_cb_t probe, void* user)
        : name_(name), probe_(probe), user_(user) {}
    const char* name() const override { return name_; }
    Health poll() override {
        switch (probe_(user_)) {
            case OTA_HEALTH_PASS:
                return Health::kPass;
            case OTA_HEALTH_PENDING:
                return Health::kPending;
            default:
                return Health::kFail;
        }
    }

  private:
    const char* name_ = "";
    ota_health_probe_cb_t probe_ = nullptr;
    void* user_ = nullptr;
};

class CallbackSink final : public EventSink {
  public:
    explicit CallbackSink(const ota_manager_config_t& config)
        : event_(config.event_cb),
          event_user_(config.event_cb_data),
          progress_(config.progress_cb),
          progress_user_(config.progress_cb_data) {}
    void set_notice(ota_notice_cb_t callback, void* user) {
        notice_ = callback;
        notice_user_ = user;
    }

    void on_event(const Event& event) override {
        switch (event.kind) {
            case Event::Kind::kState:
                if (event_ != nullptr) {
                    event_(static_cast<ota_status_t>(event.state), to_ota_error(event.status),
                           event_user_);
                }
                break;
            case Event::Kind::kProgress:
                if (progress_ != nullptr) {
                    progress_(static_cast<size_t>(event.received), static_cast<size_t>(event.total),
                              progress_user_);
                }
                break;
            case Event::Kind::kNotice:
                pass_notice(event);
                break;
            case Event::Kind::kReport:  // asked for by ota_manager_get_last_report
                break;
        }
    }

  private:
    void pass_notice(const Event& event) {
        if (notice_ == nullptr) return;
        const ota_notice_info_t info = {static_cast<ota_notice_t>(event.notice),
                                        static_cast<ota_revert_reason_t>(event.revert),
                                        to_ota_error(event.status),
                                        event.status.ok() ? "" : status_text(event.status),
                                        event.reading,
                                        event.limit};
        notice_(&info, notice_user_);
    }

    ota_event_cb_t event_;
    void* event_user_;
    ota_progress_cb_t progress_;
    void* progress_user_;
    ota_notice_cb_t notice_ = nullptr;
    void* notice_user_ = nullptr;
};

}  // namespace ota
