#include "sources/modbus/rtu_link.hpp"

namespace ota {

RtuLink::RtuLink(SerialPort& port, Clock& clock, const Config& config)
    : port_(port),
      clock_(clock),
      config_(config),
      silence_(std::max(rtu_silence(config.line.baud_rate), config.least_silence)) {}

Result<size_t> RtuLink::receive(MutableBytes out, ModbusTarget& target) {
    OTA_TRY(send_rest());
    std::array<uint8_t, kModbusRtuFrame> bytes;
    OTA_TRY_ASSIGN(const size_t count, port_.read(bytes));
    const Micros now = clock_.micros();
    if (count != 0) {
        reader_.feed(Bytes(bytes).first(count));
        last_byte_at_ = now;
        return size_t{0};
    }
    if (reader_.empty() || now - last_byte_at_ < silence_) return size_t{0};
    RtuReader::Frame frame;
    if (!reader_.end(config_.unit, frame)) return size_t{0};
    unit_ = frame.unit;
    target = {frame.unit, frame.unit == 0, false};
    std::copy(frame.pdu.begin(), frame.pdu.end(), out.begin());
    return frame.pdu.size();
}

Status RtuLink::answer(Bytes pdu) {
    unsent_ = Bytes(answer_).first(write_rtu({unit_, pdu}, answer_));
    return send_rest();
}

Status RtuLink::send_rest() {
    if (unsent_.empty()) return {};
    OTA_TRY_ASSIGN(const size_t sent, port_.write(unsent_));
    unsent_ = unsent_.subspan(sent);
    return {};
}

}  // namespace ota
