#include "modules.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "files.hpp"
#include "wire/sha256.hpp"

namespace otactl {
namespace {

namespace uds = ota::uds;

constexpr unsigned kTester = 0xF1;
constexpr unsigned kFirstAttempts = 2;  // of a board that may not be there
constexpr unsigned kAttempts = 4;

struct BoardRow {
    unsigned number = 0;
    unsigned address = 0;
    bool answers = false;
    std::string stranger;  // why it is no board of ours
    std::string hardware;
    std::string serial;
    std::string version;
    bool is_on_trial = false;
    uint32_t size = 0;
    Buffer digest;
    uint32_t taken = 0;  // of an image that is under way
    uint32_t expected = 0;
};

// F1A3: state, size, digest. F1A1: digest, size, next offset, durable offset.
void read_images(CanPeer& peer, BoardRow& row) {
    const Buffer running = peer.data(uds::kDidRunning, kAttempts);
    if (running.size() < 1 + 4 + 32) throw Failure(Exit::kPeer, "not a module board");
    row.is_on_trial = running[0] == 1;
    row.size = ota::load_be32(&running[1]);
    row.digest.assign(running.begin() + 5, running.begin() + 37);
    const Buffer package = peer.data(uds::kDidPackage, kAttempts);
    if (package.size() < 32 + 12) return;
    row.expected = ota::load_be32(&package[32]);
    row.taken = ota::load_be32(&package[36]);
}

BoardRow look_at(const ModulesOptions& options, unsigned number) {
    BoardRow row;
    row.number = number;
    row.address = options.first + number - 1;
    CanPlace place = options.place;
    place.request_id = 0x1CDA0000 | row.address << 8 | kTester;
    place.response_id = 0x1CDA0000 | kTester << 8 | row.address;
    try {
        CanPeer peer(place);
        const auto text = [&](uint16_t did, unsigned attempts = kAttempts) {
            const Buffer bytes = peer.data(did, attempts);
            return std::string(bytes.begin(), bytes.end());
        };
        row.version = text(uds::kDidVersion, kFirstAttempts);
        row.hardware = text(uds::kDidHardware);
        row.serial = text(uds::kDidSerial);
        read_images(peer, row);
        row.answers = true;
    } catch (const PeerLost&) {
        row.answers = false;
    } catch (const Failure& failure) {
        row.stranger = failure.what();
    }
    return row;
}

// On trial it may still go back.
bool runs_for_good(const BoardRow& row, const Buffer& wanted) {
    return row.digest == wanted && !row.is_on_trial;
}

std::string state_of(const BoardRow& row) {
    if (row.expected != 0 && row.size != 0) {
        return fmt::format("{}, {:.0f} % of another taken", row.is_on_trial ? "trial" : "confirmed",
                           100.0 * row.taken / row.expected);
    }
    return row.is_on_trial ? "trial" : "confirmed";
}

nlohmann::ordered_json to_json(const BoardRow& row, const Buffer& wanted) {
    nlohmann::ordered_json out = {
        {"board", row.number}, {"address", row.address}, {"answers", row.answers}};
    if (!row.stranger.empty()) out["error"] = row.stranger;
    if (!row.answers) return out;
    out["hardware"] = row.hardware;
    out["serial"] = row.serial;
    out["version"] = row.version;
    out["trial"] = row.is_on_trial;
    out["size"] = row.size;
    out["sha256"] = to_hex(row.digest.data(), row.digest.size());
    if (row.expected != 0) out["taken"] = {{"bytes", row.taken}, {"of", row.expected}};
    if (!wanted.empty()) out["runs_it"] = runs_for_good(row, wanted);
    return out;
}

void print_row(const BoardRow& row, const Buffer& wanted) {
    if (!row.answers) {
        fmt::print("{:5}  0x{:02X}  {}\n", row.number, row.address,
                   row.stranger.empty() ? "no answer" : row.stranger);
        return;
    }
    const char* const verdict = wanted.empty() ? "" : runs_for_good(row, wanted) ? "yes" : "NO";
    fmt::print("{:5}  0x{:02X}  {:16} {:10} {:10} {:4.4s}{:10} {}\n", row.number, row.address,
               row.hardware, row.serial, row.version, verdict,
               to_hex(row.digest.data(), row.digest.size()).substr(0, 8), state_of(row));
}

}  // namespace

void show_modules(const ModulesOptions& options) {
    Buffer wanted;
    if (!options.image.empty()) {
        ota::Digest digest;
        const ota::Status hashed = ota::sha256(read_file(options.image), digest);
        if (!hashed.ok()) throw Failure(Exit::kIo, options.image + ": can't be hashed");
        wanted.assign(digest.begin(), digest.end());
    }
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    if (!options.json) {
        fmt::print("board  addr  {:16} {:10} {:10} {:4}{:10} state\n", "hardware", "serial",
                   "firmware", wanted.empty() ? "" : "it?", "image");
    }
    unsigned answers = 0;
    unsigned others = 0;
    for (unsigned number = 1; number <= options.count; ++number) {
        const BoardRow row = look_at(options, number);
        answers += row.answers ? 1 : 0;
        others += !wanted.empty() && !runs_for_good(row, wanted) ? 1 : 0;
        if (options.json) {
            all.push_back(to_json(row, wanted));
        } else {
            print_row(row, wanted);
        }
    }
    if (options.json) fmt::print("{}\n", all.dump(2));
    if (answers == 0) {
        throw Failure(Exit::kPeer, "no board answers: check interface, rate and --first");
    }
    if (others != 0) {
        throw Failure(Exit::kRefused, fmt::format("{} of {} boards do not run {}", others,
                                                  options.count, options.image));
    }
}

}  // namespace otactl
