#pragma once

#include <cstdint>

namespace ota {

enum class Health : uint8_t { kPending, kPass, kFail };

// One thing that must be well before a trial image is confirmed.
class HealthProbe {
  public:
    virtual const char* name() const = 0;
    // Engine context, non-blocking. kFail is final and reverts at once.
    virtual Health poll() = 0;

  protected:
    ~HealthProbe() = default;
};

}  // namespace ota
