// Any text as PEM, version, file name, pattern and digest file.
#include <cstdlib>
#include <string_view>

#include "base/hex.hpp"
#include "base/version.hpp"
#include "sources/file/name_match.hpp"
#include "verify/trust_store.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    ota::TrustStore store;
    const bool loaded = store.load_pem(text).ok();
    if (loaded == store.keys().empty()) std::abort();
    ota::Version version;
    if (ota::parse_version(text, version).ok() && ota::compare_versions(version, version) != 0)
        std::abort();
    const std::string_view first = text.substr(0, size / 2);
    const std::string_view second = text.substr(size / 2);
    (void)ota::name_matches(first, second);
    if (ota::natural_less(first, second) && ota::natural_less(second, first)) std::abort();
    ota::Digest digest;
    (void)ota::parse_hex(text.substr(0, 64), digest);
    return 0;
}
