// A device with a UDS server, and a tester that talks to it without a bus in between.
#pragma once

#include "push_bench.hpp"
#include "sources/can/uds_server.hpp"
#include "sources/push_source.hpp"

namespace ota {

struct UdsBench : ComponentsBench {
    explicit UdsBench(bool locked = false) {
        extra_source = {&pair.channel, &pair.source, SourceKind::kCanbus};
        source.package.clear();
        if (!locked) door.remove();
        doors = {&door, 1};
        if (locked) access_hmac_key = import_hmac_key();
        EXPECT_TRUE(start_server());
        turn();
    }
    ~UdsBench() override {
        if (access_hmac_key != 0) (void)psa_destroy_key(access_hmac_key);
    }
    // What a restart does.
    bool start_server(ResetReason reset = ResetReason::kPowerOn) {
        pair.window.close();
        if (!boot(reset)) return false;
        desk.emplace(pair.window, PushDesk::Engine{manager(), mailbox, clock});
        server.emplace(UdsIdentity{"BESS-0042", "ESP32-P4 v1.0", true}, *desk, door, mailbox,
                       clock);
        return true;
    }
    // A round of link and engine.
    void turn() {
        desk->poll();
        server->poll();
        step();
    }
    // The final answer; how often it was pending before.
    Buffer ask(const Buffer& request, bool is_functional = false) {
        asked = request;
        server->take(asked, is_functional);
        pending = 0;
        Buffer out;
        const auto answer = [&] {
            const Bytes bytes = server->next_answer();
            if (bytes.size() == 3 && bytes[0] == 0x7F && bytes[2] == 0x78) {
                ++pending;
                return false;
            }
            out.assign(bytes.begin(), bytes.end());
            return !out.empty() || !server->is_pending();
        };
        (void)run_until(
            [&] {
                if (answer()) return true;
                desk->poll();
                server->poll();
                return answer();
            },
            200000);
        server->answered();
        return out;
    }
    // The negative response code; 0: a positive answer; 0xFF: none.
    uint8_t code(const Buffer& request, bool is_functional = false) {
        last = ask(request, is_functional);
        if (last.empty()) return 0xFF;
        return last[0] == 0x7F ? last[2] : 0;
    }
    void wait(Millis time) {
        const Millis end = clock.now() + time;
        (void)run_until([&] {
            desk->poll();
            server->poll();
            return clock.now() >= end;
        });
    }
    static Buffer download_request(uint32_t address, size_t size) {
        Buffer out = {0x34, 0, 0x44};
        out.resize(11);
        store_be32(&out[3], address);
        store_be32(&out[7], static_cast<uint32_t>(size));
        return out;
    }
    static Buffer announcement(const Buffer& package) {
        Buffer out = {0x2E, 0xF1, 0xA1};
        const Buffer digest = test::sha256(package);
        out.insert(out.end(), digest.begin(), digest.end());
        out.resize(out.size() + 4);
        store_be32(&out[out.size() - 4], static_cast<uint32_t>(package.size()));
        return out;
    }
    uint8_t open(const Buffer& package, uint32_t address = 0) {
        offered = package;
        counter = 0;
        at = address;
        if (code({0x10, 2}) != 0 && last[2] != 0) return last[2];
        if (const uint8_t error = code(announcement(package))) return error;
        return code(download_request(address, package.size() - address));
    }
    Buffer block_request(size_t most = 2048) const {
        const size_t size = std::min<size_t>(most, offered.size() - at);
        Buffer out = {0x36, static_cast<uint8_t>(counter + 1)};
        out.insert(out.end(), offered.begin() + static_cast<long>(at),
                   offered.begin() + static_cast<long>(at + size));
        return out;
    }
    uint8_t send_block(size_t most = 2048) {
        const Buffer request = block_request(most);
        const uint8_t error = code(request);
        if (error != 0) return error;
        ++counter;
        at += static_cast<uint32_t>(request.size() - 2);
        return 0;
    }
    uint8_t send_until(size_t offset) {
        while (at < std::min(offset, offered.size())) {
            if (const uint8_t error = send_block()) return error;
        }
        return 0;
    }
    // The whole package up to a good result of its check.
    uint8_t push(const Buffer& package) {
        if (const uint8_t error = open(package)) return error;
        if (const uint8_t error = send_until(package.size())) return error;
        if (const uint8_t error = code({0x37})) return error;
        if (const uint8_t error = code({0x31, 1, 2, 2})) return error;
        return last.size() == 5 ? last[4] : uint8_t{0xFE};
    }
    // The restart that was ordered.
    bool restarts() {
        return run_until([&] {
            desk->poll();
            return restart.requested;
        });
    }
    // Of F1A1.
    uint32_t next_offset() {
        (void)ask({0x22, 0xF1, 0xA1});
        const Buffer answer = ask({0x22, 0xF1, 0xA1});
        return answer.size() == 3 + 44 ? load_be32(&answer[3 + 36]) : 0xDEAD;
    }

    PushPair pair;
    AccessDoor door;
    std::optional<PushDesk> desk;
    std::optional<UdsServer> server;
    Buffer asked;
    Buffer last;
    Buffer offered;
    uint32_t at = 0;
    uint8_t counter = 0;
    int pending = 0;
};

}  // namespace ota
