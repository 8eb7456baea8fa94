#include "sources/aws/stream_codec.hpp"

#include <bit>

#include "base/build_options.hpp"
#include "sources/aws/stream_cbor.hpp"
#include "sources/aws/stream_json.hpp"

namespace ota {
namespace {

constexpr StreamCbor kCbor;
constexpr StreamJson kJson;

}  // namespace

const StreamCodec& stream_codec(StreamForm form) {
    if (build::kJsonStreams && form == StreamForm::kJson) return kJson;
    return kCbor;
}

uint32_t count_of_blocks(Bytes wanted) {
    uint32_t count = 0;
    for (const uint8_t byte : wanted) count += static_cast<uint32_t>(std::popcount(byte));
    return count;
}

}  // namespace ota
