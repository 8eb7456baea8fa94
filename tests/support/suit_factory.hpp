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
    Buffer sent;   // instead of it; empty: the image itself
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

// Packages about several components: the commands of their sections are given one by one.
using Commands = std::vector<std::pair<int64_t, Buffer>>;
struct ComponentSpec {
    std::vector<Buffer> id = {};
    Buffer content = {};  // of which digest and size are told; empty: neither
    uint8_t class_id = 0x22;
    Commands parameters = {};  // further ones: {key, encoded value}
    Commands conditions = {};  // further ones in the shared sequence
};
struct PackageSpec {
    uint64_t sequence = 100;
    std::vector<uint64_t> version = {1, 1, 0};
    std::vector<Key> keys = {Key::kEc};
    std::vector<ComponentSpec> components;
    Commands fetch;
    Commands install;
    Commands validate;
    std::vector<Buffer> payloads;  // "#p00" and so on
};
Buffer make_package(const PackageSpec& spec);

Buffer id_of(const std::string& name);                // a segment of a component's id
std::pair<int64_t, Buffer> select(size_t component);  // the commands after it are about this one
std::pair<int64_t, Buffer> fetch_from(const std::string& uri);  // sets the parameter
inline const std::pair<int64_t, Buffer> kFetchIt = {21, {2}};
inline const std::pair<int64_t, Buffer> kMatch = {3, {15}};

// Application and configuration in one.
PackageSpec app_and_config(const Buffer& app, const Buffer& config, uint64_t sequence);
// One image for module boards 1 … count, by way of the stage.
PackageSpec boards_package(const Buffer& image, uint8_t count, uint64_t sequence);

// An ESP image without a signature sector, in an envelope that is signed.
Buffer make_suit_of(std::string_view version, uint32_t payload, uint32_t seed, uint64_t sequence);

}  // namespace test
