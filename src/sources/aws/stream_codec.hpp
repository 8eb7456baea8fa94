// Messages of AWS IoT's MQTT-based file delivery (developer guide, "Delivering files over MQTT"):
// one request for some blocks, and a message for each of them. Each stream is to be had in CBOR
// and in JSON, under topics of their own. No policy.
#pragma once

#include <optional>

#include "base/bytes.hpp"
#include "base/fixed.hpp"
#include "base/status.hpp"

namespace ota {

inline constexpr uint32_t kStreamBlock = 4096;       // bytes, a sector; AWS takes 256…131072
inline constexpr size_t kStreamWindow = 8;           // blocks in one request
inline constexpr uint64_t kLastStreamBlock = 98304;  // highest offset

enum class StreamForm : uint8_t { kCbor, kJson };

using StreamToken = FixedString<12>;

struct StreamRequest {
    std::string_view token;  // of digits; a rejection has it, too
    uint8_t file = 0;
    uint32_t block_size = kStreamBlock;
    uint32_t first = 0;  // block
    Bytes wanted;        // bit k of byte j: block first + 8 * j + k; up to 16 bytes
    std::optional<uint16_t> version;
};

struct StreamData {
    uint64_t file = 0;
    uint64_t block = 0;
    uint64_t size = 0;  // bytes of payload, as the sender says
};

// Empty: it had none, or a longer one than any of ours.
struct StreamRejection {
    FixedString<32> code;
    StreamToken token;
};

// The version of the stream, and how long a file in it is; 0: it has no such file.
struct StreamDescription {
    uint64_t version = 0;
    uint64_t size = 0;
};

// Stateless. What is not of its form gives the reader's error (kMalformed), and changes nothing
// that counts.
class StreamCodec {
  public:
    static constexpr size_t kLongestRequest = 128;

    // The last part of the topics.
    virtual std::string_view topic_end() const = 0;
    // Asks for the description.
    virtual Bytes describe_request() const = 0;
    // Its bytes in out; kNoSpace: out is shorter than kLongestRequest.
    virtual Result<size_t> encode_request(const StreamRequest& request, MutableBytes out) const = 0;
    virtual Status parse_data(Bytes message, StreamData& out) const = 0;
    // The payload of what parse_data took, into all of out; kMalformed: it has another length, and
    // what is in out then is worth nothing.
    virtual Status copy_payload(Bytes message, MutableBytes out) const = 0;
    virtual Status parse_rejection(Bytes message, StreamRejection& out) const = 0;
    virtual Status parse_description(Bytes message, uint8_t file, StreamDescription& out) const = 0;

  protected:
    ~StreamCodec() = default;
};

// CBOR's in a build without JSON.
const StreamCodec& stream_codec(StreamForm form);

// How many blocks a request asks for. Without it AWS takes 128 KiB for granted, and refuses what
// lies behind the end of the file.
uint32_t count_of_blocks(Bytes wanted);

}  // namespace ota
