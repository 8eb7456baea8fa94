#include "wire/uri.hpp"

#include "base/hex.hpp"
#include "base/text.hpp"

namespace ota {
namespace {

constexpr std::string_view kSchemeEnd = "://";

bool is_control(char c) {
    return static_cast<uint8_t>(c) < 0x20 || c == 0x7F;
}

std::string_view up_to(std::string_view text, std::string_view stops) {
    return text.substr(0, text.find_first_of(stops));
}

bool is_port(std::string_view text) {
    uint64_t number = 0;
    return text.empty() || (parse_decimal(text, number) && number != 0 && number <= 65535);
}

std::string_view effective_port(const UriParts& parts) {
    if (!parts.port.empty()) return parts.port;
    return parts.is_https() ? "443" : "80";
}

bool parse_authority(std::string_view authority, UriParts& out) {
    const size_t at = authority.rfind('@');
    if (at != std::string_view::npos) {
        out.user_info = authority.substr(0, at);
        authority.remove_prefix(at + 1);
    }
    // The colons inside the brackets of an IPv6 address separate no port.
    const size_t bracket = authority.find(']');
    const size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
    out.host = authority.substr(0, colon);
    if (colon != std::string_view::npos) out.port = authority.substr(colon + 1);
    return !out.host.empty() && is_port(out.port);
}

// Does text begin with a scheme and a colon?
bool has_scheme(std::string_view text) {
    const std::string_view head = up_to(text, ":/?#");
    return !head.empty() && head.size() < text.size() && text[head.size()] == ':';
}

bool append_encoded(UriText& out, std::string_view text) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    for (const char c : text) {
        if (is_control(c)) return false;
        const auto byte = static_cast<uint8_t>(c);
        const std::array<char, 3> encoded = {'%', kDigits[byte >> 4], kDigits[byte & 15]};
        const std::string_view piece =
            is_visible(c) ? std::string_view(&c, 1) : std::string_view(encoded.data(), 3);
        if (!out.try_append(piece)) return false;
    }
    return true;
}

// RFC 3986 5.2.4 on what follows the first `start` characters; a query is left alone.
void remove_dot_segments(UriText& uri, size_t start) {
    size_t at = start;  // of a slash
    while (at < uri.view().size() && uri.view()[at] == '/') {
        const size_t end = std::min(uri.view().find_first_of("/?", at + 1), uri.view().size());
        const std::string_view segment = uri.view().substr(at, end - at);
        const bool last = end == uri.view().size() || uri.view()[end] == '?';
        size_t from = at;
        if (segment == "/..") {
            // Not above the root: there the segment alone goes.
            from = at == start ? at : std::max(uri.view().rfind('/', at - 1), start);
        } else if (segment != "/.") {
            at = end;
            continue;
        }
        uri.erase(last ? from + 1 : from, end);
        if (last) return;
        at = from;
    }
}

// The part of a reference behind its scheme: //authority and the rest.
bool take_network_path(UriText& uri, std::string_view reference) {
    reference.remove_prefix(2);
    std::string_view authority = up_to(reference, "/?");
    reference.remove_prefix(authority.size());
    const size_t at = authority.rfind('@');
    if (at != std::string_view::npos) authority.remove_prefix(at + 1);
    uri.append("://");
    if (!append_encoded(uri, authority)) return false;
    if (!reference.starts_with("/") && !uri.try_append("/")) return false;
    return append_encoded(uri, reference);
}

// A reference without scheme and authority.
bool take_path(UriText& uri, const UriParts& base, std::string_view reference) {
    const size_t path_at = static_cast<size_t>(base.path.data() - uri.view().data());
    const size_t query_at = path_at + base.path.size();
    const size_t directory_at = path_at + base.path.rfind('/') + 1;  // npos + 1 = 0
    if (reference.empty()) return true;
    const bool absolute = reference[0] == '/';
    uri.truncate(absolute ? path_at : reference[0] == '?' ? query_at : directory_at);
    if (!absolute && base.path.empty() && !uri.try_append("/")) return false;
    if (!append_encoded(uri, reference)) return false;
    remove_dot_segments(uri, path_at);
    return true;
}

}  // namespace

bool UriParts::is_https() const {
    return equal_ignoring_case(scheme, "https");
}

bool parse_uri(std::string_view text, UriParts& out) {
    out = UriParts();
    if (!std::all_of(text.begin(), text.end(), is_visible)) return false;
    text = up_to(text, "#");
    const size_t scheme = text.find(kSchemeEnd);
    if (scheme == std::string_view::npos) return false;
    out.scheme = text.substr(0, scheme);
    if (!out.is_https() && !equal_ignoring_case(out.scheme, "http")) return false;
    text.remove_prefix(scheme + kSchemeEnd.size());
    const std::string_view authority = up_to(text, "/?");
    text.remove_prefix(authority.size());
    out.path = up_to(text, "?");
    out.query = text.substr(out.path.size());
    return parse_authority(authority, out);
}

bool same_origin(const UriParts& a, const UriParts& b) {
    return equal_ignoring_case(a.scheme, b.scheme) && equal_ignoring_case(a.host, b.host) &&
           effective_port(a) == effective_port(b);
}

bool resolve_reference(UriText& uri, std::string_view reference) {
    UriParts base;
    if (!parse_uri(uri.view(), base)) return false;
    reference = up_to(reference, "#");
    bool ok = false;
    if (reference.starts_with("//")) {
        uri.truncate(base.scheme.size());
        ok = take_network_path(uri, reference);
    } else if (has_scheme(reference)) {
        const std::string_view scheme = up_to(reference, ":");
        uri.assign(scheme);
        reference.remove_prefix(scheme.size() + 1);
        ok = reference.starts_with("//") && take_network_path(uri, reference);
    } else {
        ok = take_path(uri, base, reference);
    }
    UriParts resolved;
    return ok && parse_uri(uri.view(), resolved);
}

bool percent_decode(std::string_view text, FixedString<128>& out) {
    out.clear();
    for (size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%') {
            std::array<uint8_t, 1> byte{};
            if (i + 2 >= text.size() || !parse_hex(text.substr(i + 1, 2), byte)) return false;
            c = static_cast<char>(byte[0]);
            i += 2;
        }
        if (!out.try_append({&c, 1})) return false;
    }
    return true;
}

}  // namespace ota
