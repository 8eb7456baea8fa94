// A package out of a file stream of AWS IoT: blocks by MQTT, in whatever order they come.
#pragma once

#include "ports/backoff.hpp"
#include "ports/source.hpp"
#include "sources/aws/aws_link.hpp"
#include "sources/aws/job_message.hpp"
#include "sources/aws/stream_codec.hpp"

namespace ota {

// Engine context. A window slides over the file: what has left it makes room for what is asked for
// next, while the rest is still on its way; what gets lost is asked for again. Blocks leave here in
// order.
class StreamSource {
  public:
    StreamSource(AwsLink& link, Clock& clock, const StreamCodec& codec)
        : link_(link), clock_(clock), codec_(codec) {}

    // Of document's stream, from offset on, length bytes or to the end.
    Status start(const JobDocument& document, uint64_t offset, uint64_t length);
    // Like Source::read.
    Result<size_t> read(MutableBytes out);
    // kTryAgain until the stream has described itself. version: of the stream.
    Status info(uint64_t& size, uint16_t& version) const;
    void close() { is_open_ = false; }

    // Of the topic "streams/…".
    void take(std::string_view topic, Bytes payload);

  private:
    static constexpr uint64_t kWindow = uint64_t{kStreamWindow} * kStreamBlock;

    bool is_waiting() const { return size_ == 0 ? is_describing_ : asked_ != 0; }
    Status step();
    Status describe();
    Status ask(uint8_t wanted);
    void heard();
    void take_block(Bytes message);
    void take_rejection(Bytes message);
    uint8_t missing() const;
    MutableBytes place(uint64_t block);
    Status publish(std::string_view verb, Bytes payload);

    AwsLink& link_;
    Clock& clock_;
    const StreamCodec& codec_;
    bool is_open_ = false;
    FixedString<kMaxStreamId> stream_;
    uint8_t file_ = 0;
    uint64_t size_ = 0;  // of the file; 0 = it has not described itself yet
    uint16_t version_ = 0;
    uint64_t position_ = 0;  // of the next byte that read() gives
    uint64_t end_ = 0;       // of what was asked for; kToEnd
    uint32_t first_ = 0;     // block that position_ is in: the window's first
    uint8_t have_ = 0;       // bit k: block first_ + k is there
    uint8_t asked_ = 0;      // bit k: it is on its way
    std::array<uint8_t, kWindow> window_{};

    uint32_t connection_ = 0;  // in which the request went
    bool is_describing_ = false;
    Millis heard_at_ = 0;    // or asked
    Millis wait_ = 0;        // for a sign of life, before it is asked again
    uint32_t silences_ = 0;  // in a row
    Backoff backoff_{10000, 120000};
    uint32_t token_number_ = 0;
    StreamToken token_;
    Status failure_;
};

}  // namespace ota
