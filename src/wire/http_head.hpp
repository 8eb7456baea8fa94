// What a response head says (RFC 9110), as far as a download needs it. No policy.
#pragma once

#include <optional>

#include "ports/http_client.hpp"
#include "wire/uri.hpp"

namespace ota {

inline constexpr uint64_t kUnknownLength = UINT64_MAX;

// Content-Range: bytes first-last/total, or bytes */total (with 416).
struct ContentRange {
    bool satisfied = false;  // first and last are there
    uint64_t first = 0;
    uint64_t last = 0;
    uint64_t total = kUnknownLength;
};

// False when text does not follow RFC 9110 14.4.
bool parse_content_range(std::string_view text, ContentRange& out);

// An entity tag, weak or strong (RFC 9110 8.8.3).
bool is_entity_tag(std::string_view text);

class HttpHead final : public HttpHeadSink {
  public:
    void on_status(uint16_t status) override;
    void on_field(std::string_view name, std::string_view value) override;
    void set_status(uint16_t status) override { status_ = status; }

    uint16_t status() const { return status_; }
    uint64_t content_length() const { return content_length_; }  // kUnknownLength: not said
    // Null when there is none; malformed_range when there is one that says nothing usable.
    const std::optional<ContentRange>& content_range() const { return content_range_; }
    bool malformed_range() const { return malformed_range_; }
    bool is_encoded() const { return encoded_; }  // Content-Encoding other than identity
    // Empty when absent, malformed or longer than kept.
    std::string_view entity_tag() const { return entity_tag_.view(); }
    std::string_view last_modified() const { return last_modified_.view(); }
    std::string_view location() const { return location_.view(); }
    std::string_view notes() const { return notes_.view(); }
    // Seconds to wait; a date counts from now, and one in the past is 0. Null: not said, or a date
    // and now is not known.
    std::optional<uint64_t> retry_after(std::optional<UnixTime> now) const;

  private:
    void take_range(std::string_view value);
    void take_notes(std::string_view value);

    uint16_t status_ = 0;
    bool malformed_range_ = false;
    bool encoded_ = false;
    uint64_t content_length_ = kUnknownLength;
    std::optional<ContentRange> content_range_;
    FixedString<72> entity_tag_;
    FixedString<32> last_modified_;
    FixedString<32> retry_after_;
    FixedString<128> notes_;
    UriText location_;
};

}  // namespace ota
