// A device with a Modbus server, and a master that knows its registers.
#pragma once

#include "push_bench.hpp"
#include "sources/modbus/modbus_server.hpp"
#include "sources/push_source.hpp"

namespace ota {

using modbus::WindowResult;

struct ModbusBench : ComponentsBench {
    static constexpr uint16_t kBase = modbus::kDefaultBase;
    static constexpr ModbusTarget kToUs{1, false, true};

    explicit ModbusBench(bool locked = false) {
        extra_source = {&pair.channel, &pair.source, SourceKind::kModbus};
        source.package.clear();
        if (!locked) access.remove();
        doors = {&access, 1};
        EXPECT_TRUE(start_server());
    }
    // What a restart does.
    bool start_server(ResetReason reset = ResetReason::kPowerOn) {
        pair.window.close();
        if (!boot(reset)) return false;
        desk.emplace(pair.window, PushDesk::Engine{manager(), mailbox, clock});
        server.emplace(ModbusIdentity{1, kBase, "BESS-0042", "ESP32-P4 v1.0", true}, *desk, access,
                       mailbox, clock);
        return true;
    }
    // A round of link and engine.
    void turn() {
        desk->poll();
        step();
    }

    // ---- the master's side
    Buffer ask(const Buffer& request, const ModbusTarget& target = kToUs) {
        Buffer out(kModbusPdu);
        out.resize(server->answer(request, target, out));
        return out;
    }
    static Buffer read_request(uint16_t at, uint16_t count, uint8_t function = 3) {
        Buffer out = {function, 0, 0, 0, 0};
        store_be16(&out[1], static_cast<uint16_t>(kBase + at));
        store_be16(&out[3], count);
        return out;
    }
    std::vector<uint16_t> read(uint16_t at, uint16_t count) {
        const Buffer answer = ask(read_request(at, count));
        std::vector<uint16_t> out;
        for (size_t i = 2; i + 1 < answer.size(); i += 2) out.push_back(load_be16(&answer[i]));
        return out;
    }
    uint16_t reg(uint16_t at) {
        const auto values = read(at, 1);
        return values.empty() ? uint16_t{0xDEAD} : values[0];
    }
    uint32_t number(uint16_t at) {
        const auto values = read(at, 2);
        return values.size() != 2 ? 0xDEADU : uint32_t{values[0]} << 16 | values[1];
    }
    static Buffer write_request(uint16_t at, const std::vector<uint16_t>& values) {
        Buffer out(6 + 2 * values.size());
        out[0] = 16;
        store_be16(&out[1], static_cast<uint16_t>(kBase + at));
        store_be16(&out[3], static_cast<uint16_t>(values.size()));
        out[5] = static_cast<uint8_t>(2 * values.size());
        for (size_t i = 0; i < values.size(); ++i) store_be16(&out[6 + 2 * i], values[i]);
        return out;
    }
    static ModbusException exception_of(const Buffer& answer) {
        const bool failed = answer.size() == 2 && (answer[0] & kModbusError) != 0;
        return failed ? static_cast<ModbusException>(answer[1]) : ModbusException::kNone;
    }
    ModbusException write(uint16_t at, const std::vector<uint16_t>& values) {
        return exception_of(ask(write_request(at, values)));
    }
    ModbusException order(modbus::Order what, std::vector<uint16_t> more = {}) {
        std::vector<uint16_t> values = {++sequence, static_cast<uint16_t>(what)};
        values.insert(values.end(), more.begin(), more.end());
        return write(modbus::kRegSequence, values);
    }
    // The result when it is there; the engine works meanwhile.
    uint16_t result() {
        (void)run_until([&] {
            desk->poll();
            return reg(modbus::kRegResult) != modbus::kResultPending;
        });
        return reg(modbus::kRegResult);
    }
    static uint16_t failure(Detail why) {
        return static_cast<uint16_t>(modbus::kResultFailure + static_cast<uint16_t>(why));
    }
    static std::vector<uint16_t> open_values(const Buffer& package, uint16_t flags = 0) {
        const auto size = static_cast<uint32_t>(package.size());
        std::vector<uint16_t> out = {
            0, 0, static_cast<uint16_t>(size >> 16), static_cast<uint16_t>(size), 0, flags};
        const Buffer digest = test::sha256(package);
        for (size_t i = 0; i < digest.size(); i += 2) out.push_back(load_be16(&digest[i]));
        return out;
    }
    uint16_t open(const Buffer& package, uint16_t flags = 0) {
        offered = package;
        EXPECT_EQ(order(modbus::Order::kOpen, open_values(package, flags)), ModbusException::kNone);
        const uint16_t done = result();
        tag = reg(modbus::kRegTag);
        return done;
    }
    Buffer window_request(uint32_t at, size_t size, uint16_t with_tag) const {
        std::vector<uint16_t> values = {with_tag, static_cast<uint16_t>(at >> 16),
                                        static_cast<uint16_t>(at)};
        for (size_t i = 0; i < size; i += 2) {
            const uint8_t low = i + 1 < size ? offered[at + i + 1] : uint8_t{0};
            values.push_back(static_cast<uint16_t>(offered[at + i] << 8 | low));
        }
        return write_request(modbus::kRegWindow, values);
    }
    ModbusException put(uint32_t at, size_t size) {
        return exception_of(ask(window_request(at, size, tag)));
    }
    // One block at the next offset, and a round of the device.
    ModbusException send_block(size_t most = 240) {
        const uint32_t at = number(modbus::kRegNext);
        const size_t size = std::min<size_t>(most, offered.size() - at);
        const ModbusException error = size == 0 ? ModbusException::kNone : put(at, size);
        turn();
        return error;
    }
    bool send_until(uint32_t offset) {
        return run_until([&] {
            (void)send_block();
            return number(modbus::kRegNext) >= offset;
        });
    }
    // The whole package, to READY_TO_APPLY.
    uint16_t push(const Buffer& package) {
        if (const uint16_t opened = open(package)) return opened;
        (void)send_until(static_cast<uint32_t>(package.size()));
        EXPECT_EQ(order(modbus::Order::kFinish), ModbusException::kNone);
        return result();
    }
    WindowResult last() { return static_cast<WindowResult>(reg(modbus::kRegLastResult)); }
    bool runs(std::string_view version) {
        return restart_and_settle() && running_version() == version;
    }

    PushPair pair;
    AccessDoor access;
    std::optional<PushDesk> desk;
    std::optional<ModbusServer> server;
    Buffer offered;
    uint16_t sequence = 0;
    uint16_t tag = 0;
};

}  // namespace ota
