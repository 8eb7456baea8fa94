#pragma once

#include "base/fixed.hpp"
#include "ports/battery.hpp"
#include "ports/health_probe.hpp"
#include "ports/image.hpp"
#include "ports/update_record.hpp"

namespace ota {

// The BMS delivers data that is younger than kBatteryMaxAge.
class BatteryProbe final : public HealthProbe {
  public:
    BatteryProbe(Battery& battery, Clock& clock) : battery_(battery), clock_(clock) {}
    const char* name() const override { return "battery"; }
    Health poll() override;

  private:
    Battery& battery_;
    Clock& clock_;
};

// The flash that the image runs from answers.
class StorageProbe final : public HealthProbe {
  public:
    explicit StorageProbe(ImageReader& image) : image_(image) {}
    const char* name() const override { return "storage"; }
    Health poll() override;

  private:
    ImageReader& image_;
};

// The journal took the record of this trial.
class JournalProbe final : public HealthProbe {
  public:
    explicit JournalProbe(const UpdateLog& log) : log_(log) {}
    const char* name() const override { return "journal"; }
    Health poll() override;

  private:
    const UpdateLog& log_;
};

// The configuration that belongs to the image is there. Found out at the start.
class ConfigProbe final : public HealthProbe {
  public:
    explicit ConfigProbe(const Status& found) : found_(found) {}
    const char* name() const override { return "configuration"; }
    Health poll() override { return found_.ok() ? Health::kPass : Health::kFail; }

  private:
    const Status& found_;
};

// All probes must pass; one failure decides.
class HealthCheck {
  public:
    static constexpr size_t kMaxProbes = 8;

    bool add(HealthProbe& probe) { return probes_.push_back(&probe); }
    // failing names the probe behind kFail, or the first that is still pending.
    Health poll(const char*& failing);

  private:
    FixedVector<HealthProbe*, kMaxProbes> probes_;
};

}  // namespace ota
