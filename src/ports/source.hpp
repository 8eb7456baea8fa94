// Where packages come from.
#pragma once

#include <optional>
#include <string_view>

#include "base/build_options.hpp"
#include "base/bytes.hpp"
#include "base/fixed.hpp"
#include "base/status.hpp"
#include "ports/clock.hpp"

namespace ota {

// The longest URI or path (design limit; RFC 9110 4.1 recommends 8,000 for servers).
inline constexpr size_t kMaxUri = build::kUri;

// Same order as ota_source_t. Values are stored in flash.
enum class SourceKind : uint8_t { kHttps, kAwsIot, kModbus, kCanbus, kSdCard, kUsbDrive };
inline constexpr int kSourceKindCount = 6;

// Does its peer announce packages by itself, so that nobody looks for them?
constexpr bool is_pushed(SourceKind kind) {
    return kind == SourceKind::kModbus || kind == SourceKind::kCanbus;
}

// Does somebody bring it by hand?
constexpr bool is_medium(SourceKind kind) {
    return kind == SourceKind::kSdCard || kind == SourceKind::kUsbDrive;
}

struct Location {
    std::string_view uri;  // a view into storage of its channel, valid until the next poll
};

// Announced, not yet trusted.
struct Offer {
    Location where;
};

// What a source knows one state of one package by (an HTTP entity tag, RFC 9110 8.8.3). Empty tag:
// the source has no such thing.
struct Validator {
    FixedString<72> tag;
    std::array<uint8_t, 8> place{};  // digest of the location it belongs to
    bool operator==(const Validator& other) const {
        return tag.view() == other.tag.view() && place == other.place;
    }
};

inline constexpr uint64_t kToEnd = UINT64_MAX;

struct Fetch {
    Location where;
    uint64_t offset = 0;
    uint64_t length = kToEnd;  // a check wants the first bytes only
    // Packages that need not be delivered again: kNoUpdate / kNotModified instead.
    std::span<const Validator> known;
    // The place is a package's word: credentials go there only if it is where they belong.
    bool foreign = false;
};

struct SourceInfo {
    uint64_t size = 0;                                    // 0 = unknown
    Digest identity{};                                    // changes when the bytes may have changed
    std::optional<Digest> expected_sha256;                // published beside the package
    std::optional<std::array<uint8_t, 16>> expected_md5;  // likewise; a transport check only
    // In base64, over the SHA-256 of the whole file, beside it; empty: the publisher may sign so
    // and did not. A view into storage of the source, until it is asked for something else.
    std::optional<std::string_view> file_signature;
    Validator validator;
    FixedString<128> notes;  // what the publisher says about it; untrusted, for display
    // The time of day at which the peer proved itself by a certificate; 0 = it did not, or the
    // clock is not set. Filled in by info() whatever it returns.
    UnixTime proven_time = 0;
};

class Source {
  public:
    // Opens the package at fetch.offset. Never blocks.
    virtual Status start(const Fetch& fetch) = 0;

    // n > 0: bytes; 0: nothing yet; kTryAgain: 1 KiB or more came that is not for the caller, so
    // the peer is alive; kEndOfData: delivered everything that was asked for; any other status:
    // failed. kUnavailable, kBusy and kTimeout may be tried again after start() at the same offset.
    virtual Result<size_t> read(MutableBytes out) = 0;

    // kTryAgain until the peer has answered; then also the failures of read. With kNotModified the
    // validator says which of the known packages it is.
    virtual Status info(SourceInfo& out) = 0;

    // After a failure: how long the peer wants to be left alone; 0 = it did not say.
    virtual Millis retry_after() = 0;

    virtual void close() = 0;

  protected:
    ~Source() = default;
};

struct Report;  // ports/update_record.hpp

class Channel {
  public:
    // The next candidate of this round: true and offer filled, or false when there is none left.
    // kTryAgain: not known yet, ask again; it has a timer of its own.
    virtual Result<bool> poll(Offer& offer) = 0;

    // The candidate that poll() gave last was looked at and is not installed now: why.
    virtual void refused(Status why) = 0;

    // Starts a new round with the first candidate.
    virtual void rewind() = 0;

    // True once after the medium has appeared (card inserted): worth a check. Cheap; asked often.
    virtual bool arrived() = 0;

    // Asked about each second, whatever the engine does. True: the publisher has taken the package
    // in hand back.
    virtual bool serve() { return false; }

    // How an attempt with a package of this channel goes: when it fails, restarts into the image,
    // and again when it is known what became of that. Best effort; nothing hangs on it.
    virtual void report(const Report& report) = 0;

  protected:
    ~Channel() = default;
};

}  // namespace ota
