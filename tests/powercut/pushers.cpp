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
    return answered && (number(modbus::kRegSequenceDone) & 0xFFFF) == modbus::kResultOk;
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

UdsTester::UdsTester(test::Device& device) : device_(device) {
    door_.remove();
    device.extra_source = {&pair_.channel, &pair_.source, ota::SourceKind::kCanbus};
}

Buffer UdsTester::ask(const Buffer& request) {
    request_ = request;
    server_->take(request_, false);
    Buffer answer;
    (void)device_.run_until(
        [&] {
            desk_->poll();
            server_->poll();
            const ota::Bytes bytes = server_->next_answer();
            const bool pending = bytes.size() == 3 && bytes[0] == 0x7F && bytes[2] == 0x78;
            if (bytes.empty() || pending) return false;
            answer.assign(bytes.begin(), bytes.end());
            return true;
        },
        120000);
    return answer.empty() || answer[0] == 0x7F ? Buffer() : answer;
}

uint32_t UdsTester::next_offset() {
    const Buffer answer = ask({0x22, 0xF1, 0xA1});
    return answer.size() == 47 ? ota::load_be32(&answer[39]) : 0;
}

bool UdsTester::begin(const Buffer& package, uint32_t offset) {
    Buffer request = {0x34, 0, 0x44};
    request.resize(11);
    ota::store_be32(&request[3], offset);
    ota::store_be32(&request[7], static_cast<uint32_t>(package.size()) - offset);
    return !ask(request).empty();
}

bool UdsTester::is_over() const {
    const State state = device_.state();
    return state == State::kFailed || state == State::kIdle;
}

void UdsTester::push(const Buffer& package) {
    pair_.window.close();
    desk_.emplace(pair_.window,
                  ota::PushDesk::Engine{device_.manager(), device_.mailbox, device_.clock});
    server_.emplace(ota::UdsIdentity{}, *desk_, door_, device_.mailbox, device_.clock);
    (void)ask({0x10, 2});
    Buffer announcement = {0x2E, 0xF1, 0xA1};
    const Buffer digest = test::sha256(package);
    announcement.insert(announcement.end(), digest.begin(), digest.end());
    announcement.resize(announcement.size() + 4);
    ota::store_be32(&announcement[35], static_cast<uint32_t>(package.size()));
    (void)ask(announcement);
    if (!begin(package, 0)) return;
    uint8_t counter = 0;
    for (uint32_t at = 0; at < package.size() && !device_.flash.is_off() && !is_over();) {
        constexpr uint32_t kBlock = 2048;
        const size_t size = std::min<size_t>(kBlock, package.size() - at);
        Buffer block = {0x36, ++counter};
        block.insert(block.end(), package.begin() + static_cast<long>(at),
                     package.begin() + static_cast<long>(at + size));
        if (ask(block).empty()) return;
        at += static_cast<uint32_t>(size);
        // The start is looked at again, then it may want what lies behind what flash holds.
        const uint32_t next = next_offset();
        if (next != at && next > at && begin(package, next)) {
            at = next;
            counter = 0;
        }
    }
    if (device_.flash.is_off() || ask({0x37}).empty()) return;
    (void)ask({0x31, 1, 2, 2});
}

}  // namespace powercut
