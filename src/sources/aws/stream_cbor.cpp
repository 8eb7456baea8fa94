#include "sources/aws/stream_cbor.hpp"

#include "wire/cbor.hpp"

namespace ota {
namespace {

constexpr Status kWrong{Code::kMalformed, Origin::kSource, Detail::kCborType};

// RFC 8949 3: heads of up to 32 bits, and one-letter names.
class Writer {
  public:
    explicit Writer(MutableBytes out) : out_(out) {}
    void head(CborType type, uint32_t value) {
        const auto major = static_cast<uint8_t>(static_cast<uint8_t>(type) << 5);
        if (value < 24) return u8(static_cast<uint8_t>(major | value));
        const int bytes = value <= 0xFF ? 1 : value <= 0xFFFF ? 2 : 4;
        u8(static_cast<uint8_t>(major | (bytes == 1 ? 24 : bytes == 2 ? 25 : 26)));
        for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
            u8(static_cast<uint8_t>(value >> shift));
        }
    }
    void name(char letter) {
        head(CborType::kText, 1);
        u8(static_cast<uint8_t>(letter));
    }
    void number(char letter, uint32_t value) {
        name(letter);
        head(CborType::kUint, value);
    }
    void string(char letter, CborType type, Bytes bytes) {
        name(letter);
        head(type, static_cast<uint32_t>(bytes.size()));
        for (const uint8_t byte : bytes) u8(byte);
    }
    size_t size() const { return size_; }

  private:
    void u8(uint8_t value) { out_[size_++] = value; }
    MutableBytes out_;
    size_t size_ = 0;
};

// Calls visit(name, in) for each pair; visit takes the value.
template <typename Visit>
Status each_pair(Bytes message, Visit visit) {
    CborReader in(message);
    OTA_TRY_ASSIGN(const size_t pairs, in.map());
    for (size_t i = 0; i < pairs; ++i) {
        OTA_TRY_ASSIGN(const std::string_view name, in.text());
        OTA_TRY(visit(name, in));
    }
    return {};
}

template <size_t N>
Status take_text(CborReader& in, FixedString<N>& out) {
    OTA_TRY_ASSIGN(const std::string_view text, in.text());
    out.clear();
    (void)out.try_append(text);
    return {};
}

Status take_number(CborReader& in, uint64_t& out) {
    OTA_TRY_ASSIGN(out, in.unsigned_number());
    return {};
}

}  // namespace

Bytes StreamCbor::describe_request() const {
    static constexpr std::array<uint8_t, 1> kEmptyMap{0xA0};
    return kEmptyMap;
}

Result<size_t> StreamCbor::encode_request(const StreamRequest& request, MutableBytes out) const {
    if (out.size() < kLongestRequest) return Status{Code::kNoSpace, Origin::kSource};
    const Bytes wanted = request.wanted.first(std::min<size_t>(request.wanted.size(), 16));
    Writer writer(out);
    writer.head(CborType::kMap, request.version ? 7 : 6);
    writer.string('c', CborType::kText, as_bytes(request.token.substr(0, 12)));
    if (request.version) writer.number('s', *request.version);
    writer.number('f', request.file);
    writer.number('l', request.block_size);
    writer.number('o', request.first);
    writer.number('n', count_of_blocks(wanted));
    writer.string('b', CborType::kBytes, wanted);
    return writer.size();
}

Status StreamCbor::parse_data(Bytes message, StreamData& out) const {
    out = StreamData();
    uint64_t length = UINT64_MAX;
    bool has_block = false;
    OTA_TRY(each_pair(message, [&](std::string_view name, CborReader& in) -> Status {
        if (name == "f") return take_number(in, out.file);
        if (name == "l") return take_number(in, length);
        if (name != "i") return in.item().status();
        has_block = true;
        return take_number(in, out.block);
    }));
    out.size = length;
    return has_block && length != UINT64_MAX ? kOkStatus : kWrong;
}

Status StreamCbor::copy_payload(Bytes message, MutableBytes out) const {
    Bytes payload;
    OTA_TRY(each_pair(message, [&](std::string_view name, CborReader& in) -> Status {
        if (name != "p") return in.item().status();
        OTA_TRY_ASSIGN(payload, in.bytes());
        return {};
    }));
    if (payload.size() != out.size()) return kWrong;
    std::copy(payload.begin(), payload.end(), out.begin());
    return {};
}

// Long and short names come together, or either of them.
Status StreamCbor::parse_rejection(Bytes message, StreamRejection& out) const {
    out = StreamRejection();
    return each_pair(message, [&](std::string_view name, CborReader& in) -> Status {
        if (name == "o" || name == "code") return take_text(in, out.code);
        if (name == "c" || name == "clientToken") return take_text(in, out.token);
        return in.item().status();
    });
}

Status StreamCbor::parse_description(Bytes message, uint8_t file, StreamDescription& out) const {
    out = StreamDescription();
    const auto read_file = [&](CborReader& in) -> Status {
        OTA_TRY_ASSIGN(const Bytes entry, in.item());
        uint64_t id = UINT64_MAX;
        uint64_t size = 0;
        OTA_TRY(each_pair(entry, [&](std::string_view name, CborReader& pairs) -> Status {
            if (name == "f") return take_number(pairs, id);
            if (name == "z") return take_number(pairs, size);
            return pairs.item().status();
        }));
        if (id == file) out.size = size;
        return {};
    };
    return each_pair(message, [&](std::string_view name, CborReader& in) -> Status {
        if (name == "s") return take_number(in, out.version);
        if (name != "r") return in.item().status();
        OTA_TRY_ASSIGN(const size_t files, in.array());
        for (size_t i = 0; i < files; ++i) OTA_TRY(read_file(in));
        return {};
    });
}

}  // namespace ota
