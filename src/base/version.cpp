#include "base/version.hpp"

#include "base/text.hpp"

namespace ota {
namespace {

constexpr Status kBadVersion{Code::kIncompatible, Origin::kVerify, Detail::kVersionFormat};
constexpr size_t kMaxDigits = 9;

bool is_numeric(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

bool is_identifier_char(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

// Cuts everything up to the separator off the front; the whole rest if there is none.
std::string_view take_until(std::string_view& text, char separator) {
    const size_t at = std::min(text.find(separator), text.size());
    const std::string_view head = text.substr(0, at);
    text.remove_prefix(std::min(at + 1, text.size()));
    return head;
}

bool parse_number(std::string_view text, uint32_t& out) {
    if (!is_numeric(text) || text.size() > kMaxDigits) return false;
    if (text.size() > 1 && text[0] == '0') return false;
    out = 0;
    for (const char c : text) out = out * 10 + static_cast<uint32_t>(c - '0');
    return true;
}

// Dot-separated, none empty, numeric ones without leading zeros (semver section 9).
bool valid_identifiers(std::string_view text, bool numbers_are_strict) {
    if (text.empty() || text.back() == '.') return false;
    while (!text.empty()) {
        const std::string_view id = take_until(text, '.');
        if (id.empty() || !std::all_of(id.begin(), id.end(), is_identifier_char)) return false;
        if (numbers_are_strict && is_numeric(id) && id.size() > 1 && id[0] == '0') return false;
    }
    return true;
}

// Numeric identifiers compare as numbers of any length and are older than words.
std::strong_ordering compare_identifiers(std::string_view a, std::string_view b) {
    const bool a_numeric = is_numeric(a);
    const bool b_numeric = is_numeric(b);
    if (a_numeric != b_numeric) {
        return a_numeric ? std::strong_ordering::less : std::strong_ordering::greater;
    }
    if (a_numeric && a.size() != b.size()) return a.size() <=> b.size();
    return a.compare(b) <=> 0;
}

std::strong_ordering compare_prerelease(std::string_view a, std::string_view b) {
    if (a.empty() || b.empty()) return b.size() <=> a.size();  // no pre-release is newer
    while (!a.empty() && !b.empty()) {
        const auto order = compare_identifiers(take_until(a, '.'), take_until(b, '.'));
        if (order != std::strong_ordering::equal) return order;
    }
    if (a.empty() && b.empty()) return std::strong_ordering::equal;
    return a.empty() ? std::strong_ordering::less : std::strong_ordering::greater;
}

}  // namespace

Status parse_version(std::string_view text, Version& out) {
    if (!text.empty() && text[0] == 'v') text.remove_prefix(1);
    const size_t plus = text.find('+');
    if (plus != std::string_view::npos) {
        if (!valid_identifiers(text.substr(plus + 1), false)) return kBadVersion;
        text = text.substr(0, plus);
    }
    Version version;
    const size_t hyphen = text.find('-');
    if (hyphen != std::string_view::npos) {
        version.prerelease = text.substr(hyphen + 1);
        if (!valid_identifiers(version.prerelease, true)) return kBadVersion;
        text = text.substr(0, hyphen);
    }
    if (std::count(text.begin(), text.end(), '.') != 2) return kBadVersion;
    const bool numbers = parse_number(take_until(text, '.'), version.major) &&
                         parse_number(take_until(text, '.'), version.minor) &&
                         parse_number(text, version.patch);
    if (!numbers) return kBadVersion;
    out = version;
    return {};
}

std::strong_ordering compare_versions(const Version& a, const Version& b) {
    if (const auto order = a.major <=> b.major; std::is_neq(order)) return order;
    if (const auto order = a.minor <=> b.minor; std::is_neq(order)) return order;
    if (const auto order = a.patch <=> b.patch; std::is_neq(order)) return order;
    return compare_prerelease(a.prerelease, b.prerelease);
}

}  // namespace ota
