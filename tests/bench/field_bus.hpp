#pragma once

namespace bench {

// Simulated updates over Modbus RTU and CAN against what the line can carry. False: a bar is
// missed.
bool field_buses();

// Modbus TCP over real sockets of this machine. False: it did not work; how fast it is is printed
// only.
bool modbus_tcp();

}  // namespace bench
