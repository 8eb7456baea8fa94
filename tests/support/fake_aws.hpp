// AWS IoT in memory: one job of the thing "bess-1" and the stream with its package.
#pragma once

#include <mbedtls/base64.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "sources/aws/stream_codec.hpp"
#include "support/fake_mqtt.hpp"
#include "wire/cbor.hpp"

namespace test {

class FakeAws {
  public:
    static constexpr const char* kThings = "$aws/things/bess-1/";

    // What the cloud has of the job; it outlives the device's power.
    bool has_job = true;
    std::string id = "job-1";
    std::string status = "QUEUED";
    uint64_t version = 1;
    uint64_t execution = 1;
    Buffer package;
    std::string document;  // empty: by the stream
    std::string end;       // SUCCEEDED, FAILED or REJECTED, once it is over

    // How it misbehaves.
    std::string rejection;  // of the next update
    bool reverse = false;   // blocks, last first
    bool twice = false;     // each block
    bool silent = false;    // answers nothing
    size_t lose = 0;        // every n-th block

    // What it saw.
    std::vector<std::string> updates;
    size_t requests = 0;  // for blocks
    size_t seen = 0;      // messages
    FakeMqtt mqtt;

    // Its answers to what was sent since.
    void answer() {
        for (; seen < mqtt.sent.size(); ++seen) {
            const FakeMqtt::Message message = mqtt.sent[seen];
            if (silent) continue;
            const std::string topic = message.topic.substr(std::string(kThings).size());
            if (topic.ends_with("/get/cbor")) {
                send_blocks(message.payload);
            } else if (topic.ends_with("/get/json")) {
                send_json_blocks(message.text());
            } else if (topic.ends_with("/describe/cbor")) {
                describe();
            } else if (topic.ends_with("/describe/json")) {
                mqtt.deliver(std::string(kThings) + "streams/s1/description/json",
                             R"({"c":"","s":1,"d":"","r":[{"f":0,"z":)" +
                                 std::to_string(package.size()) + "}]}");
            } else if (topic.ends_with("/get")) {
                const std::string head = is_open() ? "{\"execution\":" + job() + "," : "{";
                mqtt.deliver(message.topic + "/accepted", head + token_of(message));
            } else if (topic.ends_with("/update")) {
                update(message);
            }
        }
    }

    bool is_open() const { return has_job && status != "OVER"; }

    std::string job() const {
        const std::string by_stream = R"({"bess_ota":1,"stream":{"id":"s1","fileId":0},"size":)" +
                                      std::to_string(package.size()) + "}";
        return R"({"jobId":")" + id + R"(","status":")" + status + R"(","versionNumber":)" +
               std::to_string(version) + R"(,"executionNumber":)" + std::to_string(execution) +
               R"(,"jobDocument":)" + (document.empty() ? by_stream : document) + "}";
    }

    void notify() {
        mqtt.deliver(std::string(kThings) + "jobs/notify-next",
                     is_open() ? "{\"execution\":" + job() + "}" : R"({"timestamp":1})");
    }

  private:
    // The members of an answer that ends with the request's token.
    static std::string token_of(const FakeMqtt::Message& message) {
        const std::string text = message.text();
        return "\"" + text.substr(text.find("clientToken"));
    }

    void reject(const FakeMqtt::Message& message, const std::string& code) {
        mqtt.deliver(message.topic + "/rejected",
                     R"({"code":")" + code + R"(","executionState":{"status":")" +
                         (end.empty() ? "IN_PROGRESS" : end) + R"(","versionNumber":7},)" +
                         token_of(message));
    }

    void update(const FakeMqtt::Message& message) {
        const std::string text = message.text();
        updates.push_back(text);
        if (!rejection.empty()) {
            reject(message, rejection);
            return rejection.clear();
        }
        if (!is_open()) return reject(message, "InvalidStateTransition");
        ++version;
        status = "IN_PROGRESS";
        for (const char* word : {"SUCCEEDED", "FAILED", "REJECTED"}) {
            if (!text.starts_with(std::string(R"({"status":")") + word)) continue;
            status = "OVER";
            end = word;
        }
        mqtt.deliver(message.topic + "/accepted", "{" + token_of(message));
    }

    // The head of an item in its shortest form (RFC 8949 4.2.1).
    static void put(Buffer& out, unsigned major, size_t value) {
        const auto add = [&](size_t bits) { out.push_back(static_cast<uint8_t>(bits)); };
        if (value < 24) return add(major << 5 | value);
        const unsigned bytes = value < 0x100 ? 1 : value < 0x10000 ? 2 : 4;
        add(major << 5 | (bytes == 1 ? 24U : bytes == 2 ? 25U : 26U));
        for (unsigned i = bytes; i-- > 0;) add(value >> 8 * i & 0xFF);
    }

    // {"s": 1, "r": [{"f": 0, "z": size}]}
    void describe() {
        Buffer out = {0xA2, 0x61, 's', 1, 0x61, 'r', 0x81, 0xA2, 0x61, 'f', 0, 0x61, 'z'};
        put(out, 0, package.size());
        mqtt.deliver(std::string(kThings) + "streams/s1/description/cbor", out);
    }

    void send_blocks(ota::Bytes request) {
        ota::CborReader in(request);
        uint64_t first = 0;
        ota::Bytes wanted;
        const size_t pairs = *in.map();
        for (size_t i = 0; i < pairs; ++i) {
            const std::string_view name = *in.text();
            if (name == "o") {
                first = *in.unsigned_number();
            } else if (name == "b") {
                wanted = *in.bytes();
            } else {
                (void)in.item();
            }
        }
        deliver(first, wanted, false);
    }

    void send_json_blocks(const std::string& request) {
        const size_t first = std::strtoul(&request[request.find("\"o\":") + 4], nullptr, 10);
        const std::string digits = request.substr(request.find("0x") + 2, 2);
        const auto wanted = static_cast<uint8_t>(std::strtoul(digits.c_str(), nullptr, 16));
        deliver(first, {&wanted, 1}, true);
    }

    void deliver(uint64_t first, ota::Bytes wanted, bool as_json) {
        ++requests;
        std::vector<uint64_t> blocks;
        for (size_t k = 0; k < 8 * wanted.size(); ++k) {
            if ((wanted[k / 8] >> k % 8 & 1) != 0) blocks.push_back(first + k);
        }
        if (reverse) std::reverse(blocks.begin(), blocks.end());
        for (const uint64_t block : blocks) {
            if (lose != 0 && ++count_ % lose == 0) continue;
            for (int i = 0; i < (twice ? 2 : 1); ++i) {
                if (as_json) {
                    deliver_json_block(block);
                } else {
                    deliver_block(block);
                }
            }
        }
    }

    // A block that lies behind the end is none: the device never gets it.
    void deliver_block(uint64_t block) {
        const auto from = static_cast<size_t>(block * ota::kStreamBlock);
        if (from >= package.size()) return;
        const size_t size = std::min<size_t>(ota::kStreamBlock, package.size() - from);
        Buffer out = {0xA5, 0x61, 'c', 0x60, 0x61, 'f', 0, 0x61, 'l'};
        put(out, 0, size);
        out.insert(out.end(), {0x61, 'i'});
        put(out, 0, static_cast<size_t>(block));
        out.insert(out.end(), {0x61, 'p'});
        put(out, 2, size);
        out.insert(out.end(), package.begin() + static_cast<long>(from),
                   package.begin() + static_cast<long>(from + size));
        mqtt.deliver(std::string(kThings) + "streams/s1/data/cbor", out);
    }

    void deliver_json_block(uint64_t block) {
        const auto from = static_cast<size_t>(block * ota::kStreamBlock);
        if (from >= package.size()) return;
        const size_t size = std::min<size_t>(ota::kStreamBlock, package.size() - from);
        std::string payload(4 * ota::kStreamBlock / 3 + 8, '\0');
        size_t length = 0;
        (void)mbedtls_base64_encode(reinterpret_cast<unsigned char*>(payload.data()),
                                    payload.size(), &length, package.data() + from, size);
        payload.resize(length);
        mqtt.deliver(std::string(kThings) + "streams/s1/data/json",
                     R"({"c":"","f":0,"l":)" + std::to_string(size) + R"(,"i":)" +
                         std::to_string(block) + R"(,"p":")" + payload + "\"}");
    }

    size_t count_ = 0;
};

}  // namespace test
