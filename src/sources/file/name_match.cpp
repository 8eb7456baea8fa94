#include "sources/file/name_match.hpp"

#include "base/text.hpp"

namespace ota {
namespace {

// Backtracks to the latest star only, so the work is bounded by |pattern| * |name|.
bool glob_matches(std::string_view pattern, std::string_view name) {
    size_t p = 0;
    size_t n = 0;
    size_t star = std::string_view::npos;
    size_t star_name = 0;
    while (n < name.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            star_name = n;
        } else if (p < pattern.size() &&
                   (pattern[p] == '?' || to_lower(pattern[p]) == to_lower(name[n]))) {
            ++p;
            ++n;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            n = ++star_name;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

std::string_view stem_of(std::string_view name) {
    return name.substr(0, std::min(name.rfind('.'), name.size()));
}

std::string_view extension_of(std::string_view name) {
    const size_t dot = name.rfind('.');
    return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

// Do the leading characters of long_stem, without the ones an alias drops, give short_stem?
bool alias_stem_matches(std::string_view long_stem, std::string_view short_stem) {
    size_t taken = 0;
    for (const char c : long_stem) {
        if (c == ' ' || c == '.') continue;
        if (taken == short_stem.size()) return true;
        const bool replaced = c == '+' || c == ',' || c == ';' || c == '=' || c == '[' || c == ']';
        if (to_lower(replaced ? '_' : c) != to_lower(short_stem[taken])) return false;
        ++taken;
    }
    return taken == short_stem.size();
}

bool alias_matches(std::string_view wanted, std::string_view have) {
    const std::string_view stem = stem_of(have);
    const size_t tilde = stem.find('~');
    constexpr size_t kMaxStem = 8;
    constexpr size_t kMaxExtension = 3;
    if (tilde == std::string_view::npos || tilde == 0 || stem.size() > kMaxStem) return false;
    const std::string_view number = stem.substr(tilde + 1);
    if (number.empty() || !std::all_of(number.begin(), number.end(), is_digit)) return false;
    const std::string_view extension = extension_of(wanted).substr(0, kMaxExtension);
    return equal_ignoring_case(extension, extension_of(have)) &&
           alias_stem_matches(stem_of(wanted), stem.substr(0, tilde));
}

std::string_view take_digits(std::string_view& text) {
    size_t n = 0;
    while (n < text.size() && is_digit(text[n])) ++n;
    const std::string_view digits = text.substr(0, n);
    text.remove_prefix(n);
    return digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
}

}  // namespace

bool name_matches(std::string_view wanted, std::string_view have) {
    return glob_matches(wanted, have) || alias_matches(wanted, have);
}

bool natural_less(std::string_view a, std::string_view b) {
    while (!a.empty() && !b.empty()) {
        if (is_digit(a[0]) && is_digit(b[0])) {
            const std::string_view x = take_digits(a);
            const std::string_view y = take_digits(b);
            if (x.size() != y.size()) return x.size() < y.size();
            if (x != y) return x < y;
            continue;
        }
        if (to_lower(a[0]) != to_lower(b[0])) return to_lower(a[0]) < to_lower(b[0]);
        a.remove_prefix(1);
        b.remove_prefix(1);
    }
    return a.size() < b.size();
}

}  // namespace ota
