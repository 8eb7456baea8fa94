#include "support/suit_factory.hpp"

#include <algorithm>

namespace test {
namespace cbor {

Buffer head(int type, uint64_t value) {
    const auto first = static_cast<uint8_t>(type << 5);
    if (value < 24) return {static_cast<uint8_t>(first + value)};
    if (value < 256) return {static_cast<uint8_t>(first + 24), static_cast<uint8_t>(value)};
    const int bytes = value < 65536 ? 2 : value < 0x100000000 ? 4 : 8;
    Buffer out = {static_cast<uint8_t>(first + (bytes == 2 ? 25 : bytes == 4 ? 26 : 27))};
    for (int i = bytes; i-- > 0;) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
    return out;
}

namespace {
void append(Buffer& out, const Buffer& more) {
    out.insert(out.end(), more.begin(), more.end());
}
}  // namespace

Buffer number(int64_t value) {
    return value < 0 ? head(1, static_cast<uint64_t>(-(value + 1)))
                     : head(0, static_cast<uint64_t>(value));
}

Buffer bytes(const Buffer& value) {
    Buffer out = head(2, value.size());
    append(out, value);
    return out;
}

Buffer text(const std::string& value) {
    Buffer out = head(3, value.size());
    append(out, Buffer(value.begin(), value.end()));
    return out;
}

Buffer array(const std::vector<Buffer>& items) {
    Buffer out = head(4, items.size());
    for (const Buffer& item : items) append(out, item);
    return out;
}

Buffer map(std::vector<std::pair<Buffer, Buffer>> pairs) {
    std::sort(pairs.begin(), pairs.end());
    Buffer out = head(5, pairs.size());
    for (const auto& [key, value] : pairs) {
        append(out, key);
        append(out, value);
    }
    return out;
}

Buffer wrap(const Buffer& item) {
    return bytes(item);
}

}  // namespace cbor

namespace {

using cbor::array;
using cbor::bytes;
using cbor::map;
using cbor::number;
using cbor::text;
using cbor::wrap;
using Pairs = std::vector<std::pair<Buffer, Buffer>>;

Buffer digest_item(const Buffer& content) {
    return array({number(-16), bytes(sha256(content))});
}

Buffer sign1(const Buffer& digest, Key key) {
    const Buffer header = map({{number(1), number(key == Key::kRsa ? -37 : -9)}});
    const Buffer to_be_signed =
        array({text("Signature1"), bytes(header), bytes({}), bytes(digest)});
    const Buffer block =
        array({bytes(header), map({}), {0xF6}, bytes(sign_bytes(sha256(to_be_signed), key))});
    Buffer out = {0xD2};  // tag 18
    out.insert(out.end(), block.begin(), block.end());
    return out;
}

void add(std::vector<Buffer>& sequence, int64_t code, const Buffer& argument) {
    sequence.push_back(number(code));
    sequence.push_back(argument);
}

Buffer parameters(const std::vector<std::pair<int64_t, Buffer>>& more, Pairs pairs) {
    for (const auto& [key, value] : more) pairs.emplace_back(number(key), value);
    return map(pairs);
}

Buffer shared_sequence(const SuitSpec& spec) {
    const uint64_t size = spec.announced_size == 0 ? spec.image.size() : spec.announced_size;
    std::vector<Buffer> out;
    add(out, 20,
        parameters(spec.shared_parameters, {{number(1), bytes(Buffer(16, spec.vendor))},
                                            {number(2), bytes(Buffer(16, spec.class_id))},
                                            {number(3), wrap(digest_item(spec.image))},
                                            {number(14), cbor::head(0, size)}}));
    add(out, 1, number(15));
    add(out, 2, number(15));
    for (const auto& [code, argument] : spec.shared_commands) add(out, code, argument);
    return array(out);
}

Buffer manifest(const SuitSpec& spec) {
    std::vector<Buffer> fetch;
    add(fetch, 20, map({{number(21), text(spec.uri)}}));
    add(fetch, 21, number(2));
    add(fetch, 3, number(15));
    std::vector<Buffer> install;
    if (!spec.install_parameters.empty()) {
        add(install, 20, parameters(spec.install_parameters, {}));
    }
    for (const auto& [code, argument] : spec.install_commands) add(install, code, argument);
    add(install, 3, number(15));
    std::vector<Buffer> version;
    for (const uint64_t part : spec.version) version.push_back(cbor::head(0, part));
    const Buffer id = array({array({bytes(Buffer(spec.component.begin(), spec.component.end()))})});
    Pairs members = {
        {number(1), number(1)},
        {number(2), cbor::head(0, spec.sequence)},
        {number(3), wrap(map({{number(2), id}, {number(4), wrap(shared_sequence(spec))}}))},
        {number(6), wrap(array(version))},
        {number(7), wrap(array({number(3), number(15)}))},
        {number(9), wrap(array({number(23), number(2)}))},
        {number(16), wrap(array(fetch))},
        {number(20), wrap(array(install))}};
    if (spec.version.empty()) members.erase(members.begin() + 3);
    if (spec.change_members) spec.change_members(members);
    return map(members);
}

}  // namespace

Buffer make_suit(const SuitSpec& spec) {
    const Buffer wrapped = wrap(manifest(spec));
    const Buffer digest = digest_item(wrapped);
    std::vector<Buffer> auth = {bytes(digest)};
    for (const Key key : spec.keys) auth.push_back(bytes(sign1(digest, key)));
    Pairs members = {{number(2), wrap(array(auth))}, {number(3), wrapped}};
    for (const auto& [key, payload] : spec.payloads) {
        members.emplace_back(text(key), bytes(payload));
    }
    for (const auto& [key, item] : spec.severed) members.emplace_back(number(key), item);
    if (spec.uri.starts_with("#")) members.emplace_back(text("#p00"), bytes(spec.image));
    const Buffer envelope = map(members);
    Buffer out = {0xD8, 0x6B};  // tag 107
    out.insert(out.end(), envelope.begin(), envelope.end());
    return out;
}

Buffer make_suit_of(std::string_view version, uint32_t payload, uint32_t seed, uint64_t sequence) {
    ImageSpec image;
    image.version = version;
    image.payload = payload;
    image.seed = seed;
    SuitSpec spec;
    spec.image = make_image(image);
    spec.sequence = sequence;
    return make_suit(spec);
}

}  // namespace test
