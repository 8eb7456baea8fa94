#include "sources/aws/stream_codec.hpp"

#include <bit>

#include "sources/aws/stream_cbor.hpp"
#include "sources/aws/stream_json.hpp"

namespace ota {

const StreamCodec& stream_codec(StreamForm form) {
    static constexpr StreamCbor kCbor;
    static constexpr StreamJson kJson;
    if (form == StreamForm::kJson) return kJson;
    return kCbor;
}

uint32_t count_of_blocks(Bytes wanted) {
    uint32_t count = 0;
    for (const uint8_t byte : wanted) count += static_cast<uint32_t>(std::popcount(byte));
    return count;
}

}  // namespace ota
