#include "sources/modbus/modbus_gate.hpp"

#include <algorithm>

#include "sources/modbus/register_map.hpp"

namespace ota {

bool is_for_update_block(Bytes pdu, uint16_t base) {
    ModbusRequest request;
    if (parse_modbus_request(pdu, request) != ModbusException::kNone) return false;
    const auto in_block = [&](uint16_t address) {
        constexpr uint32_t kEnd =
            uint32_t{modbus::kRegComponentTable} + modbus::kComponentRegisters;
        return address >= base && address < base + kEnd;
    };
    switch (request.function) {
        case ModbusFunction::kReadHolding:
        case ModbusFunction::kReadInput:
            return in_block(request.address);
        case ModbusFunction::kWriteOne:
        case ModbusFunction::kWriteMany:
        case ModbusFunction::kReadWrite:
            return in_block(request.write_address);
        case ModbusFunction::kReadFile:
        case ModbusFunction::kWriteFile:
        case ModbusFunction::kIdentify:
            return true;
    }
    return false;
}

bool ModbusGate::move(State from, State to) {
    auto expected = static_cast<uint32_t>(from);
    return state_.compare_exchange_strong(expected, static_cast<uint32_t>(to));
}

bool ModbusGate::post(Bytes request) {
    if (request.size() > bytes_.size() || !move(State::kIdle, State::kFilling)) return false;
    std::copy(request.begin(), request.end(), bytes_.begin());
    size_ = request.size();
    return move(State::kFilling, State::kPosted);
}

size_t ModbusGate::take(MutableBytes out) {
    if (state_ != static_cast<uint32_t>(State::kAnswered)) return 0;
    const size_t size = std::min(size_, out.size());
    std::copy_n(bytes_.begin(), size, out.begin());
    state_ = static_cast<uint32_t>(State::kIdle);
    return size;
}

void ModbusGate::withdraw() {
    if (move(State::kPosted, State::kIdle) || move(State::kServing, State::kWithdrawn)) return;
    (void)move(State::kAnswered, State::kIdle);
}

// To this device, whatever unit the other server has.
Result<size_t> ModbusGate::receive(MutableBytes out, ModbusTarget& target) {
    if (!move(State::kPosted, State::kServing)) return size_t{0};
    const size_t size = std::min(size_, out.size());
    std::copy_n(bytes_.begin(), size, out.begin());
    target = {255, false, true};
    return size;
}

// Whoever withdraws meanwhile does not touch the bytes, so they are filled in first.
Status ModbusGate::answer(Bytes pdu) {
    size_ = std::min(pdu.size(), bytes_.size());
    std::copy_n(pdu.begin(), size_, bytes_.begin());
    if (!move(State::kServing, State::kAnswered)) (void)move(State::kWithdrawn, State::kIdle);
    return {};
}

}  // namespace ota
