#pragma once

#include <mbedtls/platform_util.h>

#include "base/fixed.hpp"

namespace ota {

// Text that leaves no trace in memory.
template <size_t N>
struct SecretText : FixedString<N> {
    SecretText() = default;
    explicit SecretText(std::string_view text) : FixedString<N>(text) {}
    SecretText(const SecretText&) = delete;
    SecretText& operator=(const SecretText&) = delete;
    ~SecretText() { clear(); }
    void clear() { mbedtls_platform_zeroize(this, sizeof *this); }
};

}  // namespace ota
