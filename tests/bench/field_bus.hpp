#pragma once

namespace bench {

// Simulated updates over Modbus RTU and CAN against what the line can carry. False: a bar is
// missed.
bool field_buses();

}  // namespace bench
