#pragma once

namespace otactl {

// The tables of docs/modbus-map.md, made of the code's own definitions.
void print_modbus_map();

}  // namespace otactl
