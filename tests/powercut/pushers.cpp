#include "powercut/pushers.hpp"

namespace powercut {

using ota::State;
using test::Buffer;
namespace modbus = ota::modbus;

ModbusMaster::ModbusMaster(test::Device& device) : device_(device) {
    door_.remove();
    device.extra_source = {&pair_.channel, &pair_.source, ota::SourceKind::kModbus};
}

void ModbusMaster::push(const Buffer& package) {
    pair_.window.close();
    desk_.emplace(pair_.window,
                  ota::PushDesk::Engine{device_.manager(), device_.mailbox, device_.clock});
    server_.emplace(ota::ModbusIdentity{}, *desk_, door_, device_.mailbox, device_.clock);
    if (open(package)) send(package);
}

Buffer ModbusMaster::ask(const Buffer& request) {
    Buffer out(ota::kModbusPdu);
    out.resize(server_->answer(request, {1, false, true}, out));
    return out;
}

uint32_t ModbusMaster::number(uint16_t at) {
    Buffer request = {3, 0, 0, 0, 2};
    ota::store_be16(&request[1], static_cast<uint16_t>(modbus::kDefaultBase + at));
    const Buffer answer = ask(request);
    return answer.size() == 6 ? ota::load_be32(&answer[2]) : 0;
}

Buffer ModbusMaster::write_request(uint16_t at, const std::vector<uint16_t>& values) const {
    Buffer out(6 + 2 * values.size());
    out[0] = 16;
    ota::store_be16(&out[1], static_cast<uint16_t>(modbus::kDefaultBase + at));
    ota::store_be16(&out[3], static_cast<uint16_t>(values.size()));
    out[5] = static_cast<uint8_t>(2 * values.size());
    for (size_t i = 0; i < values.size(); ++i) ota::store_be16(&out[6 + 2 * i], values[i]);
    return out;
}

bool ModbusMaster::open(const Buffer& package) {
    const auto size = static_cast<uint32_t>(package.size());
    std::vector<uint16_t> values = {1,
                                    static_cast<uint16_t>(modbus::Order::kOpen),
                                    0,
                                    0,
                                    static_cast<uint16_t>(size >> 16),
                                    static_cast<uint16_t>(size),
                                    0,
                                    0};
    const Buffer digest = test::sha256(package);
    for (size_t i = 0; i < digest.size(); i += 2) values.push_back(ota::load_be16(&digest[i]));
    (void)ask(write_request(modbus::kRegSequence, values));
    const bool answered = device_.run_until([&] {
        desk_->poll();
        return (number(modbus::kRegSequenceDone) & 0xFFFF) != modbus::kResultPending;
    });
    return answered && desk_->result().ok();
}

void ModbusMaster::send(const Buffer& package) {
    constexpr size_t kBlock = 2 * modbus::kMaxDataRegisters;
    const auto tag = static_cast<uint16_t>(number(modbus::kRegTag) >> 16);
    (void)device_.run_until([&] {
        desk_->poll();
        const uint32_t at = number(modbus::kRegNext);
        std::vector<uint16_t> values = {tag, static_cast<uint16_t>(at >> 16),
                                        static_cast<uint16_t>(at)};
        for (size_t i = at; i < std::min<size_t>(at + kBlock, package.size()); i += 2) {
            const uint8_t low = i + 1 < package.size() ? package[i + 1] : uint8_t{0};
            values.push_back(static_cast<uint16_t>(package[i] << 8 | low));
        }
        if (values.size() > 3) (void)ask(write_request(modbus::kRegWindow, values));
        const State state = device_.state();
        return state == State::kReadyToApply || state == State::kFailed || state == State::kIdle;
    });
}

}  // namespace powercut
