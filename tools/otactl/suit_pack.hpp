#pragma once

#include <optional>

#include "encrypt.hpp"
#include "keys.hpp"
#include "uuid.hpp"

namespace otactl {

struct PackComponent {
    std::string id;     // app, cfg, stage, settings; bms for a module board
    Buffer payload;     // what the component has to hold
    std::string uri;    // fetched from there; empty: in the package
    uint8_t board = 0;  // number of a module board, which gets what the stage holds
};

// What goes into a manifest of the profile BESS-SUIT-1 (docs/package-format.md).
struct PackPlan {
    Uuid vendor{};
    Uuid class_id{};
    std::optional<Uuid> device;  // for one unit alone
    uint64_t sequence = 0;
    std::string version;  // semantic; empty = not said
    std::vector<PackComponent> components;
    Uuid module_class{};                     // of the boards among them
    Recipients recipients;                   // of all payloads; empty: they travel as they are
    std::optional<uint64_t> use_before;      // seconds since 1970
    std::optional<uint64_t> minimum_energy;  // mWh
    std::optional<int64_t> authorize;        // priority; smaller is more urgent
    std::optional<uint64_t> not_before;      // seconds since 1970
    std::optional<uint64_t> time_of_day;     // UTC, seconds
};

// An image for module boards: the stage, and a component for each board.
void add_boards(PackPlan& plan, const Buffer& image, const std::vector<uint8_t>& numbers);

// The whole package; the same input gives the same bytes (with ECDSA keys in files, and unless
// payloads are encrypted).
struct Packed {
    Buffer package;
    // What the device fetches by itself, as it has to lie there.
    struct Elsewhere {
        std::string id;
        std::string uri;
        Buffer bytes;
    };
    std::vector<Elsewhere> elsewhere;
};
Packed pack(const PackPlan& plan, std::vector<PrivateKey>& keys);

// Adds a signature to the wrapper of a package.
Buffer add_signature(const Buffer& package, PrivateKey& key);

}  // namespace otactl
