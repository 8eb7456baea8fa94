// A device as the one who pushes a package to it sees it, whatever the bus.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "access_key.hpp"
#include "base/bytes.hpp"
#include "ports/state.hpp"

namespace otactl {

// The answer did not come, or the line is gone: worth another try. Everything else is a Failure.
class PeerLost : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// Between an operator's Ctrl-C and the end of the command: asked in each wait. Failure once it
// came.
void stop_if_interrupted();

struct PeerIdentity {
    std::string version;
    std::string hardware;
    std::string serial;
    uint32_t security_version = 0;
    std::optional<bool> is_locked;  // not known where it takes a session to ask
};

struct PeerStatus {
    ota::State state = ota::State::kIdle;
    uint8_t error = 0;      // of the specification, 0…11
    uint16_t detail = 0;    // ota::Detail
    uint16_t progress = 0;  // 0.1 %
    uint16_t interlock = 0;
    uint32_t next = 0;
    uint32_t durable = 0;
};

// What names a package.
struct PackageName {
    uint32_t size = 0;
    ota::Digest digest{};
};

struct OpenOptions {
    bool replaces = false;
    bool applies_itself = false;
};

class PushPeer {
  public:
    enum class Written { kTaken, kLater, kElsewhere };

    virtual ~PushPeer() = default;
    virtual PeerIdentity identify() = 0;
    virtual PeerStatus status() = 0;
    virtual void unlock(const AccessKey& access) = 0;
    // All orders but apply wait for their result. Failure with what the device says; PeerLost. An
    // order that is repeated after PeerLost is the same order.
    virtual void open(const PackageName& package, const OpenOptions& options) = 0;
    virtual void finish() = 0;
    virtual void apply() = 0;
    // The most bytes of one write.
    virtual size_t block_size() const = 0;
    // kLater: after pause(); kElsewhere: at status().next.
    virtual Written write(uint32_t offset, const uint8_t* bytes, size_t size) = 0;
    virtual uint32_t pause_ms() const = 0;
    // Opens the line again.
    virtual void reconnect() = 0;
};

}  // namespace otactl
