#pragma once

#include "base/build_options.hpp"
#include "base/fixed.hpp"
#include "wire/cbor.hpp"
#include "wire/suit_labels.hpp"

namespace ota {

// Limits of the profile BESS-SUIT-1 (docs/package-format.md).
inline constexpr size_t kMaxAuthWrapper = 5120;
inline constexpr size_t kMaxManifest = 3072;
inline constexpr size_t kMaxEnvelopePrefix = build::kManifestPrefix;
inline constexpr size_t kMaxPayloads = 16;

// A member of the manifest that travels beside it; the manifest holds its digest.
struct SeveredMember {
    int64_t key = 0;
    Bytes content;
    Bytes with_head;  // what the digest is made over
};

// Everything before the first payload: views into the buffer it was parsed from.
struct SuitPrefix {
    Bytes whole;
    Bytes auth;
    Bytes manifest;
    Bytes manifest_with_head;  // what the signed digest is made over
    FixedVector<SeveredMember, 3> severed;
    size_t payloads = 0;  // that follow
    size_t size = 0;      // bytes of the prefix
};

// Parses the start of a file. kTryAgain: more bytes are needed; everything that will not be mended
// by more bytes is said as early as it is known, so that a length is refused, not waited for.
Status parse_suit_prefix(Bytes start, SuitPrefix& out);

// What follows the prefix, as it comes by: payloads with their keys, then the end.
class SuitPayloadReader {
  public:
    // No head of a payload is longer: a key of 16 characters and a length.
    static constexpr size_t kMaxHead = 1 + 16 + 9;

    // The next bytes are those behind the prefix.
    void begin(size_t payloads);

    // Takes a key and a length, as far as they are in bytes; returns how many bytes were taken.
    // Ready when is_payload().
    Result<size_t> feed_head(Bytes bytes);
    bool is_payload() const { return stage_ == Stage::kPayload; }
    std::string_view key() const { return key_.view(); }
    uint64_t length() const { return length_; }
    uint64_t left() const { return left_; }
    // So many bytes of the payload were taken or left out.
    void advance(uint64_t bytes);
    // Goes to a place in the payload at hand, for resuming.
    void seek(uint64_t offset) { left_ = length_ - offset; }

    // All payloads have gone by: not one byte may follow.
    bool is_done() const { return stage_ == Stage::kDone; }

  private:
    enum class Stage : uint8_t { kHead, kPayload, kDone };
    static constexpr size_t kMaxKey = 16;

    Stage stage_ = Stage::kDone;
    size_t payloads_ = 0;
    size_t head_size_ = 0;
    std::array<uint8_t, kMaxHead> head_{};
    FixedString<kMaxKey> key_;
    uint64_t length_ = 0;
    uint64_t left_ = 0;
};

}  // namespace ota
