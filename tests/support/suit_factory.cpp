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

// The envelope around an encoded manifest.
Buffer seal(const Buffer& manifest, const std::vector<Key>& keys, const Pairs& more) {
    const Buffer wrapped = wrap(manifest);
    const Buffer digest = digest_item(wrapped);
    std::vector<Buffer> auth = {bytes(digest)};
    for (const Key key : keys) auth.push_back(bytes(sign1(digest, key)));
    Pairs members = {{number(2), wrap(array(auth))}, {number(3), wrapped}};
    members.insert(members.end(), more.begin(), more.end());
    const Buffer envelope = map(members);
    Buffer out = {0xD8, 0x6B};  // tag 107
    out.insert(out.end(), envelope.begin(), envelope.end());
    return out;
}

Buffer sequence_of(const Commands& commands) {
    std::vector<Buffer> items;
    for (const auto& [code, argument] : commands) add(items, code, argument);
    return wrap(array(items));
}

Buffer shared_sequence_of(const PackageSpec& spec) {
    std::vector<Buffer> out;
    for (size_t i = 0; i < spec.components.size(); ++i) {
        const ComponentSpec& component = spec.components[i];
        Pairs pairs = {{number(1), bytes(Buffer(16, 0x11))},
                       {number(2), bytes(Buffer(16, component.class_id))}};
        if (!component.content.empty()) {
            pairs.emplace_back(number(3), wrap(digest_item(component.content)));
            pairs.emplace_back(number(14), cbor::head(0, component.content.size()));
        }
        add(out, 12, number(static_cast<int64_t>(i)));
        add(out, 20, parameters(component.parameters, pairs));
        add(out, 1, number(15));
        add(out, 2, number(15));
        for (const auto& [code, argument] : component.conditions) add(out, code, argument);
    }
    return wrap(array(out));
}

std::string payload_key(size_t index) {
    return "#p" + std::string(1, static_cast<char>('0' + index / 10)) +
           static_cast<char>('0' + index % 10);
}

}  // namespace

Buffer make_suit(const SuitSpec& spec) {
    Pairs more;
    for (const auto& [key, payload] : spec.payloads) more.emplace_back(text(key), bytes(payload));
    for (const auto& [key, item] : spec.severed) more.emplace_back(number(key), item);
    if (spec.uri.starts_with("#")) {
        more.emplace_back(text("#p00"), bytes(spec.sent.empty() ? spec.image : spec.sent));
    }
    return seal(manifest(spec), spec.keys, more);
}

Buffer make_package(const PackageSpec& spec) {
    std::vector<Buffer> ids;
    for (const ComponentSpec& component : spec.components) {
        std::vector<Buffer> segments;
        for (const Buffer& segment : component.id) segments.push_back(bytes(segment));
        ids.push_back(array(segments));
    }
    std::vector<Buffer> version;
    for (const uint64_t part : spec.version) version.push_back(cbor::head(0, part));
    const Pairs members = {
        {number(1), number(1)},
        {number(2), cbor::head(0, spec.sequence)},
        {number(3), wrap(map({{number(2), array(ids)}, {number(4), shared_sequence_of(spec)}}))},
        {number(6), wrap(array(version))},
        {number(7), sequence_of(spec.validate)},
        {number(9), sequence_of({select(0), {23, number(2)}})},
        {number(16), sequence_of(spec.fetch)},
        {number(20), sequence_of(spec.install)}};
    Pairs more;
    for (size_t i = 0; i < spec.payloads.size(); ++i) {
        more.emplace_back(text(payload_key(i)), bytes(spec.payloads[i]));
    }
    return seal(map(members), spec.keys, more);
}

Buffer id_of(const std::string& name) {
    return {name.begin(), name.end()};
}

std::pair<int64_t, Buffer> select(size_t component) {
    return {12, number(static_cast<int64_t>(component))};
}

std::pair<int64_t, Buffer> fetch_from(const std::string& uri) {
    return {20, map({{number(21), text(uri)}})};
}

PackageSpec app_and_config(const Buffer& app, const Buffer& config, uint64_t sequence) {
    PackageSpec spec;
    spec.sequence = sequence;
    spec.components = {{.id = {id_of("app")}, .content = app},
                       {.id = {id_of("cfg")}, .content = config}};
    spec.fetch = {select(0), fetch_from("#p00"), kFetchIt, kMatch,
                  select(1), fetch_from("#p01"), kFetchIt, kMatch};
    spec.install = spec.validate = {{12, {0xF5}}, kMatch};  // of all components
    spec.payloads = {app, config};
    return spec;
}

PackageSpec boards_package(const Buffer& image, uint8_t count, uint64_t sequence) {
    PackageSpec spec;
    spec.sequence = sequence;
    spec.components = {{.id = {id_of("stage")}, .content = image}};
    std::vector<Buffer> boards;
    for (uint8_t i = 1; i <= count; ++i) {
        spec.components.push_back({.id = {id_of("bms"), {i}},
                                   .content = image,
                                   .class_id = 0x33,
                                   .parameters = {{22, number(0)}}});
        boards.push_back(number(i));
    }
    const std::pair<int64_t, Buffer> all = {12, array(boards)};
    const Buffer held = wrap(array({number(3), number(0)}));
    const Buffer copied = wrap(array({number(22), number(2), number(3), number(15)}));
    spec.fetch = {select(0), fetch_from("#p00"), kFetchIt, kMatch};
    spec.install = {select(0), kMatch, all, {15, array({held, copied})}};
    spec.validate = {all, kMatch};
    spec.payloads = {image};
    return spec;
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
