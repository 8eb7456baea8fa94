#include "wire/uds.hpp"

namespace ota::uds {
namespace {

// A big-endian number of at most four bytes.
uint32_t number(Bytes bytes) {
    uint32_t out = 0;
    for (const uint8_t byte : bytes) out = out << 8 | byte;
    return out;
}

bool is_zero(Bytes bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == 0; });
}

// The same where the number has more bytes: what does not fit has to be zero.
bool read_number(Bytes bytes, uint32_t& out) {
    const size_t more = bytes.size() > 4 ? bytes.size() - 4 : 0;
    out = number(bytes.subspan(more));
    return is_zero(bytes.first(more));
}

}  // namespace

Nrc parse_download(Bytes request, DownloadRequest& out) {
    if (request.size() < 3) return Nrc::kLength;
    out.format = request[1];
    const size_t size_length = request[2] >> 4;
    const size_t address_length = request[2] & 15U;
    if (size_length < 1 || size_length > 4 || address_length < 1 || address_length > 5) {
        return Nrc::kRange;
    }
    if (request.size() != 3 + address_length + size_length) return Nrc::kLength;
    const bool fits = read_number(request.subspan(3, address_length), out.address);
    out.size = number(request.subspan(3 + address_length, size_length));
    return fits ? Nrc::kNone : Nrc::kRange;
}

Nrc parse_file_request(Bytes request, FileRequest& out) {
    constexpr uint8_t kAdd = 1;
    constexpr uint8_t kReplace = 3;
    constexpr uint8_t kResume = 6;
    if (request.size() < 4) return Nrc::kLength;
    out.mode = request[1];
    if (out.mode != kAdd && out.mode != kReplace && out.mode != kResume) return Nrc::kRange;
    const size_t path_length = load_be16(&request[2]);
    Bytes rest = request.subspan(4);
    if (path_length == 0 || path_length > rest.size()) return Nrc::kLength;
    const Bytes path = rest.first(path_length);
    out.path = {reinterpret_cast<const char*>(path.data()), path.size()};
    rest = rest.subspan(path_length);
    if (rest.size() < 2) return Nrc::kLength;
    out.format = rest[0];
    const size_t length = rest[1];
    if (length < 1 || length > 8) return Nrc::kRange;
    if (rest.size() != 2 + 2 * length) return Nrc::kLength;
    return read_number(rest.subspan(2, length), out.size) ? Nrc::kNone : Nrc::kRange;
}

}  // namespace ota::uds
