// Messages of AWS IoT's MQTT-based file delivery in CBOR (developer guide, "Delivering files over
// MQTT"): one request for some blocks, and a message for each of them. No policy.
#pragma once

#include <optional>

#include "base/bytes.hpp"
#include "base/fixed.hpp"
#include "base/status.hpp"

namespace ota {

inline constexpr uint32_t kStreamBlock = 4096;       // bytes, a sector; AWS takes 256…131072
inline constexpr size_t kStreamWindow = 8;           // blocks in one request
inline constexpr uint64_t kLastStreamBlock = 98304;  // highest offset

using StreamToken = FixedString<12>;

struct StreamRequest {
    std::string_view token;  // echoed in each block
    uint8_t file = 0;
    uint32_t block_size = kStreamBlock;
    uint32_t first = 0;  // block
    Bytes wanted;        // bit k of byte j: block first + 8 * j + k; up to 16 bytes
    std::optional<uint16_t> version;
};
// Its bytes in out; kNoSpace: out is shorter than 80 bytes.
Result<size_t> encode_stream_request(const StreamRequest& request, MutableBytes out);

struct StreamData {
    std::string_view token;
    uint64_t file = 0;
    uint64_t block = 0;
    Bytes payload;
};
// kMalformed / kCbor… for anything that is not a block. Views into message.
Status parse_stream_data(Bytes message, StreamData& out);

struct StreamRejection {
    std::string_view code;
    std::string_view token;
};
Status parse_stream_rejection(Bytes message, StreamRejection& out);

// description: the version of the stream, and how long a file in it is; 0: it has no such file.
struct StreamDescription {
    uint64_t version = 0;
    uint64_t size = 0;
};
Status parse_stream_description(Bytes message, uint8_t file, StreamDescription& out);

}  // namespace ota
