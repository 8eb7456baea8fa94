// A stream's messages in JSON.
#pragma once

#include "sources/aws/stream_codec.hpp"

namespace ota {

class StreamJson final : public StreamCodec {
  public:
    std::string_view topic_end() const override { return "json"; }
    Bytes describe_request() const override;
    Result<size_t> encode_request(const StreamRequest& request, MutableBytes out) const override;
    Status parse_data(Bytes message, StreamData& out) const override;
    Status copy_payload(Bytes message, MutableBytes out) const override;
    Status parse_rejection(Bytes message, StreamRejection& out) const override;
    Status parse_description(Bytes message, uint8_t file, StreamDescription& out) const override;
};

}  // namespace ota
