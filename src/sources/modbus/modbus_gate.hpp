// Requests to a Modbus server that is not ours, of which some are for us.
#pragma once

#include <array>
#include <atomic>

#include "ports/modbus_link.hpp"
#include "wire/modbus_pdu.hpp"

namespace ota {

// Is it about the block of registers at base, or of a kind that has no registers (file records, the
// device's identification)? What is broken is nobody's: the other server may say so.
bool is_for_update_block(Bytes pdu, uint16_t base);

// One request at a time goes from any task to the links' task, and its answer back. Nothing waits
// here: whoever asks has to look again.
class ModbusGate final : public ModbusLink {
  public:
    // Any task. False: another one's request is in hand.
    bool post(Bytes request);
    // After post(), by the same task: the answer in out, which has room for kModbusPdu bytes, and
    // its size, which is the end of it; 0: not yet.
    size_t take(MutableBytes out);
    // The answer is not wanted any more; what the request asked for may happen all the same.
    void withdraw();

    Result<size_t> receive(MutableBytes out, ModbusTarget& target) override;
    Status answer(Bytes pdu) override;
    void close() override {}

  private:
    // Whoever moves it on owns the bytes: asker -> kPosted -> links' task -> kAnswered -> asker.
    enum class State : uint32_t { kIdle, kFilling, kPosted, kServing, kAnswered, kWithdrawn };
    bool move(State from, State to);

    std::atomic<uint32_t> state_{0};
    std::array<uint8_t, kModbusRequest> bytes_{};
    size_t size_ = 0;
};

}  // namespace ota
