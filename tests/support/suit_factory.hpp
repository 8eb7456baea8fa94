// SUIT envelopes for tests, written from the format's description: no code of the core and none of
// otactl is used, so that a mistake there is not repeated here.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "support/image_factory.hpp"

namespace test {

// Encoded CBOR items.
namespace cbor {
Buffer head(int type, uint64_t value);
Buffer number(int64_t value);
Buffer bytes(const Buffer& value);
Buffer text(const std::string& value);
Buffer array(const std::vector<Buffer>& items);
Buffer map(std::vector<std::pair<Buffer, Buffer>> pairs);  // sorted here
Buffer wrap(const Buffer& item);                           // as a byte string
}  // namespace cbor

struct SuitSpec {
    uint64_t sequence = 100;
    std::vector<uint64_t> version = {1, 1, 0};
    Buffer image;  // of the component 'app'
    std::vector<Key> keys = {Key::kEc};
    // Further parameters and commands: {key, encoded value}, {code, encoded argument}.
    std::vector<std::pair<int64_t, Buffer>> shared_parameters;
    std::vector<std::pair<int64_t, Buffer>> shared_commands;
    std::vector<std::pair<int64_t, Buffer>> install_parameters;
    std::vector<std::pair<int64_t, Buffer>> install_commands;  // before the last image match
    std::string component = "app";
    std::string uri = "#p00";
    uint64_t announced_size = 0;                           // 0 = the truth
    std::vector<std::pair<std::string, Buffer>> payloads;  // before the image's, by key
    std::function<void(std::vector<std::pair<Buffer, Buffer>>&)> change_members;  // of the manifest
    std::vector<std::pair<int64_t, Buffer>> severed;  // members of the envelope, encoded
    uint8_t vendor = 0x11;                            // every byte of the id
    uint8_t class_id = 0x22;
};
Buffer make_suit(const SuitSpec& spec);

// An ESP image without a signature sector, in an envelope that is signed.
Buffer make_suit_of(std::string_view version, uint32_t payload, uint32_t seed, uint64_t sequence);

}  // namespace test
