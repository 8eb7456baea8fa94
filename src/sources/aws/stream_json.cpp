#include "sources/aws/stream_json.hpp"

#include <mbedtls/base64.h>

#include "base/hex.hpp"
#include "wire/json.hpp"
#include "wire/json_writer.hpp"

namespace ota {
namespace {

constexpr Status kWrong{Code::kMalformed, Origin::kSource, Detail::kJsonForm};

using RequestText = FixedString<StreamCodec::kLongestRequest>;

// Calls visit(name, token, in) for each member of the one object that message is; visit takes the
// value.
template <typename Visit>
Status each_member_of(Bytes message, Visit visit) {
    JsonReader in(as_text(message));
    OTA_TRY_ASSIGN(const JsonToken begin, in.next());
    if (begin != JsonToken::kObjectBegin) return kWrong;
    OTA_TRY(each_member(in, [&](std::string_view name) -> Status {
        OTA_TRY_ASSIGN(const JsonToken token, in.next());
        return visit(name, token, in);
    }));
    return in.next().status();
}

template <size_t N>
Status take_text(JsonReader& in, JsonToken token, FixedString<N>& out) {
    if (token != JsonToken::kText) return in.pass(token);
    const Status taken = in.take_text(out);
    if (!taken.is(Code::kNoSpace)) return taken;
    out.clear();
    return {};
}

// A text's base64 (RFC 4648 4) into out, piece by piece: a text may have escapes.
class Base64Into {
  public:
    explicit Base64Into(MutableBytes out) : out_(out) {}
    bool take(char c) {
        piece_[filled_++] = static_cast<unsigned char>(c);
        if (filled_ == piece_.size()) decode();
        return good_;
    }
    // Whether it was base64 of as many bytes as out has.
    bool end() {
        decode();
        return good_ && size_ == out_.size();
    }

  private:
    void decode() {
        size_t length = 0;
        const MutableBytes rest = out_.subspan(size_);
        good_ = good_ && mbedtls_base64_decode(rest.data(), rest.size(), &length, piece_.data(),
                                               filled_) == 0;
        if (good_) size_ += length;
        filled_ = 0;
    }

    MutableBytes out_;
    size_t size_ = 0;
    std::array<unsigned char, 256> piece_{};
    size_t filled_ = 0;
    bool good_ = true;
};

Status read_file(JsonReader& in, JsonToken begin, uint8_t file, StreamDescription& out) {
    if (begin != JsonToken::kObjectBegin) return in.pass(begin);
    uint64_t id = UINT64_MAX;
    uint64_t size = 0;
    OTA_TRY(each_member(in, [&](std::string_view name) -> Status {
        OTA_TRY_ASSIGN(const JsonToken token, in.next());
        if (name == "f") return in.take_number(token, id);
        if (name == "z") return in.take_number(token, size);
        return in.pass(token);
    }));
    if (id == file) out.size = size;
    return {};
}

}  // namespace

Bytes StreamJson::describe_request() const {
    return as_bytes("{}");
}

Result<size_t> StreamJson::encode_request(const StreamRequest& request, MutableBytes out) const {
    if (out.size() < kLongestRequest) return Status{Code::kNoSpace, Origin::kSource};
    const Bytes wanted = request.wanted.first(std::min<size_t>(request.wanted.size(), 16));
    RequestText text;
    FixedString<2 + 2 * 16> bits("0x");
    append_hex(bits, wanted);
    JsonWriter json(text);
    json.text("c", request.token.substr(0, 12));
    if (request.version) json.number("s", *request.version);
    json.number("f", request.file);
    json.number("l", request.block_size);
    json.number("o", request.first);
    json.number("n", count_of_blocks(wanted));
    json.text("b", bits.view());
    json.end();
    const Bytes bytes = as_bytes(text.view());
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return bytes.size();
}

Status StreamJson::parse_data(Bytes message, StreamData& out) const {
    out = StreamData();
    uint64_t length = UINT64_MAX;
    bool has_block = false;
    OTA_TRY(each_member_of(message,
                           [&](std::string_view name, JsonToken token, JsonReader& in) -> Status {
                               if (name == "f") return in.take_number(token, out.file);
                               if (name == "l") return in.take_number(token, length);
                               if (name != "i") return in.pass(token);
                               has_block = true;
                               return in.take_number(token, out.block);
                           }));
    out.size = length;
    return has_block && length != UINT64_MAX ? kOkStatus : kWrong;
}

Status StreamJson::copy_payload(Bytes message, MutableBytes out) const {
    Base64Into payload(out);
    OTA_TRY(each_member_of(
        message, [&](std::string_view name, JsonToken token, JsonReader& in) -> Status {
            if (name != "p" || token != JsonToken::kText) return in.pass(token);
            const Status taken = in.each_character([&](char c) { return payload.take(c); });
            return taken.is(Code::kNoSpace) ? kWrong : taken;
        }));
    return payload.end() ? kOkStatus : kWrong;
}

// Long and short names come together, or either of them.
Status StreamJson::parse_rejection(Bytes message, StreamRejection& out) const {
    out = StreamRejection();
    return each_member_of(message,
                          [&](std::string_view name, JsonToken token, JsonReader& in) -> Status {
                              if (name == "o" || name == "code")
                                  return take_text(in, token, out.code);
                              if (name == "c" || name == "clientToken")
                                  return take_text(in, token, out.token);
                              return in.pass(token);
                          });
}

Status StreamJson::parse_description(Bytes message, uint8_t file, StreamDescription& out) const {
    out = StreamDescription();
    return each_member_of(message,
                          [&](std::string_view name, JsonToken token, JsonReader& in) -> Status {
                              if (name == "s") return in.take_number(token, out.version);
                              if (name != "r" || token != JsonToken::kArrayBegin)
                                  return in.pass(token);
                              while (true) {
                                  OTA_TRY_ASSIGN(const JsonToken entry, in.next());
                                  if (entry == JsonToken::kArrayEnd) return {};
                                  OTA_TRY(read_file(in, entry, file, out));
                              }
                          });
}

}  // namespace ota
