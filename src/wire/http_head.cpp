#include "wire/http_head.hpp"

#include "base/text.hpp"
#include "wire/http_date.hpp"

namespace ota {
namespace {

// Release notes in a field of the response. S3 and what speaks like it return an object's metadata
// under this prefix; other servers add a field of their own.
constexpr std::string_view kNotesFields[] = {"x-release-notes", "x-amz-meta-release-notes"};

// Keeps value if it fits whole: half a tag or half a URL is worse than none.
template <size_t N>
void keep(FixedString<N>& out, std::string_view value) {
    out.clear();
    (void)out.try_append(value);
}

}  // namespace

bool parse_content_range(std::string_view text, ContentRange& out) {
    constexpr std::string_view kUnit = "bytes ";
    out = ContentRange();
    if (!equal_ignoring_case(text.substr(0, kUnit.size()), kUnit)) return false;
    text.remove_prefix(kUnit.size());
    const size_t slash = text.find('/');
    if (slash == std::string_view::npos) return false;
    const std::string_view range = text.substr(0, slash);
    const std::string_view total = text.substr(slash + 1);
    if (total != "*" && !parse_decimal(total, out.total)) return false;
    if (range == "*") return out.total != kUnknownLength;
    const size_t dash = range.find('-');
    if (dash == std::string_view::npos) return false;
    out.satisfied = parse_decimal(range.substr(0, dash), out.first) &&
                    parse_decimal(range.substr(dash + 1), out.last);
    return out.satisfied && out.first <= out.last && out.last < out.total;
}

bool is_entity_tag(std::string_view text) {
    if (text.starts_with("W/")) text.remove_prefix(2);
    if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
    const std::string_view inside = text.substr(1, text.size() - 2);
    return std::all_of(inside.begin(), inside.end(),
                       [](char c) { return is_visible(c) && c != '"'; });
}

void HttpHead::on_status(uint16_t status) {
    status_ = status;
    malformed_range_ = encoded_ = false;
    content_length_ = kUnknownLength;
    content_range_.reset();
    entity_tag_.clear();
    last_modified_.clear();
    retry_after_.clear();
    notes_.clear();
    location_.clear();
}

void HttpHead::on_field(std::string_view name, std::string_view value) {
    const auto is = [&](std::string_view wanted) { return equal_ignoring_case(name, wanted); };
    if (is("content-length")) {
        if (!parse_decimal(value, content_length_)) content_length_ = kUnknownLength;
    } else if (is("content-range")) {
        take_range(value);
    } else if (is("etag")) {
        keep(entity_tag_, is_entity_tag(value) ? value : std::string_view());
    } else if (is("last-modified")) {
        keep(last_modified_, value);
    } else if (is("location")) {
        keep(location_, value);
    } else if (is("retry-after")) {
        keep(retry_after_, value);
    } else if (is("content-encoding")) {
        encoded_ = encoded_ || !(value.empty() || equal_ignoring_case(value, "identity"));
    } else if (is(kNotesFields[0]) || is(kNotesFields[1])) {
        take_notes(value);
    }
}

// More than one is as bad as none.
void HttpHead::take_range(std::string_view value) {
    ContentRange range;
    malformed_range_ = content_range_.has_value() || !parse_content_range(value, range);
    content_range_ = range;
}

// For display: printable ASCII, cut to what fits.
void HttpHead::take_notes(std::string_view value) {
    notes_.clear();
    for (char c : value) {
        const auto byte = static_cast<uint8_t>(c);
        if (byte < 0x20 || byte >= 0x7F) c = '?';
        notes_.append({&c, 1});
    }
}

std::optional<uint64_t> HttpHead::retry_after(std::optional<UnixTime> now) const {
    uint64_t seconds = 0;
    if (parse_decimal(retry_after_.view(), seconds)) return seconds;
    const std::optional<UnixTime> date = parse_http_date(retry_after_.view());
    if (!date || !now) return std::nullopt;
    return static_cast<uint64_t>(std::max<UnixTime>(*date - *now, 0));
}

}  // namespace ota
