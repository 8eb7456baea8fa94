// AWS Signature Version 4 of a request (AWS General Reference, "Signing AWS API requests"), in the
// Authorization field's form. Nothing is put together in memory: the canonical request goes into a
// hash piece by piece.
#pragma once

#include <span>
#include <string_view>

#include "base/bytes.hpp"
#include "base/fixed.hpp"
#include "base/secret_text.hpp"
#include "base/status.hpp"

namespace ota {

struct SigV4Field {
    std::string_view name;
    std::string_view value;
};

struct SigV4Request {
    std::string_view method = "GET";
    std::string_view path = "/";  // as in the request line
    std::string_view query{};     // without the question mark
    // All that is signed, with Host, X-Amz-Date and, where the credentials have one,
    // X-Amz-Security-Token; several values of one name in a row.
    std::span<const SigV4Field> fields{};
    std::span<const Bytes> body{};  // its pieces in a row
};

struct SigV4Scope {
    std::string_view date;  // the value of X-Amz-Date: 20150830T123600Z
    std::string_view region;
    std::string_view service;
};

struct SigV4Key {
    std::string_view id;
    std::string_view secret;
};

inline constexpr size_t kMaxSigV4Fields = 12;
inline constexpr size_t kMaxSigV4Parameters = 12;
inline constexpr size_t kMaxSigV4Segments = 16;
inline constexpr size_t kMaxSigV4Secret = 128;

using SigV4Text = FixedString<640>;

// Takes a text in pieces.
class TextSink {
  public:
    virtual void add(std::string_view piece) = 0;

  protected:
    ~TextSink() = default;
};

// The canonical request. kNoSpace: more fields, parameters or segments than are taken.
Status write_canonical_request(const SigV4Request& request, TextSink& out);

// The value of Authorization. kNoSpace: something is longer than what is taken. PSA's hashes alone
// are used, without a key slot: from any context.
Status sign_sigv4(const SigV4Request& request, const SigV4Scope& scope, const SigV4Key& key,
                  SigV4Text& out);

}  // namespace ota
