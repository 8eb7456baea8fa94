// What a server says about its answer: fields, redirects, dates.
#include <cstdlib>

#include "wire/http_date.hpp"
#include "wire/http_head.hpp"

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

void feed_head(std::string_view text) {
    ota::HttpHead head;
    head.on_status(206);
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const size_t colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        head.on_field(line.substr(0, colon), line.substr(colon + 1));
    }
    const auto& range = head.content_range();
    if (range && !head.malformed_range() && range->satisfied) {
        check(range->first <= range->last && range->last < range->total);
    }
    check(head.entity_tag().empty() || ota::is_entity_tag(head.entity_tag()));
    (void)head.retry_after(0);
    ota::UriText uri("https://update.example/bess/latest.bin?a=b");
    if (!ota::resolve_reference(uri, head.location())) return;
    ota::UriParts parts;
    check(ota::parse_uri(uri.view(), parts) && parts.user_info.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    feed_head(text);
    (void)ota::parse_http_date(text);
    (void)ota::parse_compile_time(text.substr(0, 11), text.substr(std::min<size_t>(size, 11)));
    ota::FixedString<128> decoded;
    (void)ota::percent_decode(text, decoded);
    ota::UriParts parts;
    ota::UriText base;
    if (ota::parse_uri(text.substr(0, text.find('\n')), parts) && parts.user_info.empty() &&
        base.try_append(text.substr(0, text.find_first_of("#\n")))) {
        check(ota::same_origin(parts, parts));
        (void)ota::resolve_reference(base, text.substr(std::min(size, text.find('\n'))));
    }
    return 0;
}
