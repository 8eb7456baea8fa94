// What a scenario begins with: the device before its update, and the package that it is offered.
#pragma once

#include "powercut/scenarios.hpp"
#include "support/device.hpp"

namespace powercut {

inline constexpr const char* kOld = "1.0.0";
inline constexpr const char* kNew = "1.1.0";

inline constexpr uint8_t kOldConfig = 3;
inline constexpr uint8_t kNewConfig = 7;
test::Buffer config_of(uint8_t seed);

test::DeviceLayout layout_of(const Scenario& scenario);
test::Buffer new_image(const Scenario& scenario);
// Its images …
void prepare(test::Device& device, const Scenario& scenario);
// … and, once it has booted, the configuration that the old one runs with.
void prepare_config(test::Device& device);

}  // namespace powercut
