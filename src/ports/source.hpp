// Where packages come from.
#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "base/status.hpp"

namespace ota {

// The longest URI or path (design limit; RFC 9110 4.1 recommends 8,000 for servers).
inline constexpr size_t kMaxUri = 2048;

struct Location {
    std::string_view uri;  // a view into storage of its channel, valid until the next poll
};

// Announced, not yet trusted.
struct Offer {
    Location where;
};

struct SourceInfo {
    uint64_t size = 0;                                    // 0 = unknown
    Digest identity{};                                    // changes when the bytes may have changed
    std::optional<Digest> expected_sha256;                // published beside the package
    std::optional<std::array<uint8_t, 16>> expected_md5;  // likewise; a transport check only
};

class Source {
  public:
    // Opens the package at offset. Never blocks.
    virtual Status start(const Location& where, uint64_t offset) = 0;

    // n > 0: bytes; 0: nothing yet; kEndOfData: delivered everything; any other status: failed.
    // kUnavailable may be tried again after start() at the same offset.
    virtual Result<size_t> read(MutableBytes out) = 0;

    // After start succeeded.
    virtual Status info(SourceInfo& out) = 0;

    virtual void close() = 0;

  protected:
    ~Source() = default;
};

class Channel {
  public:
    // The next candidate of this round: true and offer filled, or false when there is none left.
    virtual Result<bool> poll(Offer& offer) = 0;

    // Starts a new round with the first candidate.
    virtual void rewind() = 0;

    // True once after the medium has appeared (card inserted): worth a check. Cheap; asked often.
    virtual bool arrived() = 0;

  protected:
    ~Channel() = default;
};

}  // namespace ota
