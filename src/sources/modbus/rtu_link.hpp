// Modbus requests on a serial line, as a server among others (MODBUS over Serial Line V1.02).
#pragma once

#include "ports/clock.hpp"
#include "ports/modbus_link.hpp"
#include "ports/serial_port.hpp"
#include "wire/modbus_frame.hpp"

namespace ota {

class RtuLink final : public ModbusLink {
  public:
    struct Config {
        uint8_t unit = 1;
        SerialConfig line;
        // The least that counts as a silence, µs: more than the line's 3.5 characters where the
        // driver hands bytes over in pieces.
        uint32_t least_silence = 0;
    };
    RtuLink(SerialPort& port, Clock& clock, const Config& config);

    Status open() { return port_.open(config_.line); }
    // Is a frame under way? It ends by a silence: receive() has to be asked again.
    bool is_receiving() const { return !reader_.empty(); }

    Result<size_t> receive(MutableBytes out, ModbusTarget& target) override;
    Status answer(Bytes pdu) override;
    void close() override { port_.close(); }

  private:
    Status send_rest();

    SerialPort& port_;
    Clock& clock_;
    const Config config_;
    const uint32_t silence_;
    RtuReader reader_;
    Micros last_byte_at_ = 0;
    uint8_t unit_ = 0;  // of the latest request
    std::array<uint8_t, kModbusRtuFrame> answer_{};
    Bytes unsent_;  // of answer_
};

}  // namespace ota
