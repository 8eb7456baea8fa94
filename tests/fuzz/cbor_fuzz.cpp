// Any bytes as CBOR: each reader stays inside, consumes nothing when it fails, and a whole item is
// the same to the one that skips it as to the one that walks it.
#include <cstdlib>

#include "wire/cbor.hpp"

namespace {

// False: not an item, or nested deeper than is skipped.
bool walk(ota::CborReader& reader, int depth) {
    if (depth > ota::CborReader::kMaxNesting) return false;
    const size_t before = reader.position();
    const ota::Result<ota::CborType> type = reader.peek();
    if (reader.position() != before) std::abort();
    if (!type.ok()) return false;
    size_t items = 0;
    switch (*type) {
        case ota::CborType::kBytes:
            return reader.bytes().ok();
        case ota::CborType::kText:
            return reader.text().ok();
        case ota::CborType::kArray: {
            const ota::Result<size_t> count = reader.array();
            if (!count.ok()) return false;
            items = *count;
            break;
        }
        case ota::CborType::kMap: {
            const ota::Result<size_t> count = reader.map();
            if (!count.ok()) return false;
            items = 2 * *count;
            break;
        }
        case ota::CborType::kTag:
            if (!reader.head().ok()) return false;
            items = 1;
            break;
        default:
            return reader.head().ok();
    }
    for (size_t i = 0; i < items; ++i) {
        if (!walk(reader, depth + 1)) return false;
    }
    return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const ota::Bytes bytes(data, size);
    ota::CborReader walker(bytes);
    const bool walked = walk(walker, 0);
    ota::CborReader skipper(bytes);
    const ota::Result<ota::Bytes> item = skipper.item();
    if (item.ok() && (!walked || walker.position() != (*item).size())) std::abort();
    if (!item.ok() && skipper.position() != 0) std::abort();
    ota::CborReader reader(bytes);
    const auto stays = [&](ota::Status status) {
        if (!status.ok() && reader.position() != 0) std::abort();
        reader = ota::CborReader(bytes);
    };
    stays(reader.number().status());
    stays(reader.unsigned_number().status());
    stays(reader.boolean().status());
    stays(reader.null());
    stays(reader.tag(107));
    return 0;
}
