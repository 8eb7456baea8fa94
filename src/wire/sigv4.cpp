#include "wire/sigv4.hpp"

#include <mbedtls/platform_util.h>

#include <algorithm>

#include "base/hex.hpp"
#include "base/text.hpp"
#include "wire/sha256.hpp"

namespace ota {
namespace {

constexpr Status kTooMuch{Code::kNoSpace, Origin::kSource};
constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kTerminator = "aws4_request";

constexpr bool is_unreserved(char c) {  // RFC 3986 2.3
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

// What is equal keeps its order. The library's sorts take memory, or call themselves.
template <typename T, size_t N, typename Less>
void sort_few(FixedVector<T, N>& items, Less less) {
    for (size_t i = 1; i < items.size(); ++i) {
        for (size_t j = i; j != 0 && less(items[j], items[j - 1]); --j) {
            std::swap(items[j], items[j - 1]);
        }
    }
}

// Gives a text percent-encoded, a character at a time. In a query what is encoded already stays; in
// a path it is encoded once more, as AWS wants it.
class Encoder {
  public:
    static constexpr int kEnd = -1;

    Encoder(std::string_view text, bool keeps_encoded)
        : text_(text), keeps_encoded_(keeps_encoded) {}

    int next() {
        constexpr std::string_view kDigits = "0123456789ABCDEF";
        if (digits_ != 0) {
            --digits_;
            return kDigits[static_cast<uint8_t>(text_[at_ - 1]) >> (4 * digits_) & 15];
        }
        if (at_ == text_.size()) return kEnd;
        const char c = text_[at_++];
        if (is_unreserved(c) || (keeps_encoded_ && c == '%')) return c;
        digits_ = 2;
        return '%';
    }

  private:
    std::string_view text_;
    bool keeps_encoded_;
    size_t at_ = 0;
    int digits_ = 0;  // that are still to come of the character before at_
};

void add_encoded(std::string_view text, bool keeps_encoded, TextSink& out) {
    Encoder encoder(text, keeps_encoded);
    for (int c = encoder.next(); c != Encoder::kEnd; c = encoder.next()) {
        const char character = static_cast<char>(c);
        out.add({&character, 1});
    }
}

// Less than 0: a comes before b.
int compare_encoded(std::string_view a, std::string_view b) {
    Encoder left(a, true);
    Encoder right(b, true);
    while (true) {
        const int x = left.next();
        const int y = right.next();
        if (x != y) return x - y;
        if (x == Encoder::kEnd) return 0;
    }
}

// Up to the separator; rest becomes what is behind it.
std::string_view cut(std::string_view& rest, char separator) {
    const size_t at = rest.find(separator);
    const std::string_view piece = rest.substr(0, at);
    rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
    return piece;
}

// RFC 3986 5.2.4, and several slashes are one.
Status add_path(std::string_view path, TextSink& out) {
    FixedVector<std::string_view, kMaxSigV4Segments> segments;
    const bool ends_open = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
    for (std::string_view rest = path; !rest.empty();) {
        const std::string_view segment = cut(rest, '/');
        if (segment.empty() || segment == ".") continue;
        if (segment == "..") {
            if (!segments.empty()) segments.pop_back();
        } else if (!segments.push_back(segment)) {
            return kTooMuch;
        }
    }
    for (const std::string_view segment : segments) {
        out.add("/");
        add_encoded(segment, false, out);
    }
    if (segments.empty() || ends_open) out.add("/");
    return {};
}

struct Parameter {
    std::string_view name;
    std::string_view value;
    bool operator<(const Parameter& other) const {
        const int names = compare_encoded(name, other.name);
        return names != 0 ? names < 0 : compare_encoded(value, other.value) < 0;
    }
};

Status add_query(std::string_view query, TextSink& out) {
    FixedVector<Parameter, kMaxSigV4Parameters> parameters;
    for (std::string_view rest = query; !rest.empty();) {
        Parameter parameter;
        parameter.value = cut(rest, '&');
        parameter.name = cut(parameter.value, '=');
        if (!parameters.push_back(parameter)) return kTooMuch;
    }
    sort_few(parameters, [](const Parameter& a, const Parameter& b) { return a < b; });
    for (const Parameter& parameter : parameters) {
        if (&parameter != parameters.begin()) out.add("&");
        add_encoded(parameter.name, true, out);
        out.add("=");
        add_encoded(parameter.value, true, out);
    }
    return {};
}

constexpr bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Without white space at the ends, and one blank for each run of it.
void add_value(std::string_view value, TextSink& out) {
    bool is_begun = false;
    bool is_owed = false;
    for (const char& c : value) {
        if (is_blank(c)) {
            is_owed = is_begun;
            continue;
        }
        if (is_owed) out.add(" ");
        out.add({&c, 1});
        is_begun = true;
        is_owed = false;
    }
}

void add_lower(std::string_view text, TextSink& out) {
    for (const char c : text) {
        const char lower = to_lower(c);
        out.add({&lower, 1});
    }
}

bool comes_before(const SigV4Field& a, const SigV4Field& b) {
    return std::lexicographical_compare(a.name.begin(), a.name.end(), b.name.begin(), b.name.end(),
                                        [](char x, char y) { return to_lower(x) < to_lower(y); });
}

using Fields = FixedVector<const SigV4Field*, kMaxSigV4Fields>;

// In the order of their names; those of one name as they come.
Status sort_fields(std::span<const SigV4Field> fields, Fields& out) {
    for (const SigV4Field& field : fields) {
        if (!out.push_back(&field)) return kTooMuch;
    }
    sort_few(out, [](const SigV4Field* a, const SigV4Field* b) { return comes_before(*a, *b); });
    return {};
}

bool repeats(const Fields& fields, size_t i) {
    return i != 0 && equal_ignoring_case(fields[i]->name, fields[i - 1]->name);
}

void add_fields(const Fields& fields, TextSink& out) {
    for (size_t i = 0; i < fields.size(); ++i) {
        if (repeats(fields, i)) {
            out.add(",");
        } else {
            if (i != 0) out.add("\n");
            add_lower(fields[i]->name, out);
            out.add(":");
        }
        add_value(fields[i]->value, out);
    }
    out.add("\n");
}

void add_names(const Fields& fields, TextSink& out) {
    for (size_t i = 0; i < fields.size(); ++i) {
        if (repeats(fields, i)) continue;
        if (i != 0) out.add(";");
        add_lower(fields[i]->name, out);
    }
}

class HashSink final : public TextSink {
  public:
    Status start() { return hash_.start(); }
    void add(std::string_view piece) override {
        const Status added = hash_.update(as_bytes(piece));
        if (!added.ok()) failure_ = added;
    }
    Status value(Digest& out) const { return failure_.ok() ? hash_.value(out) : failure_; }

  private:
    RunningHash hash_{PSA_ALG_SHA_256};
    Status failure_;
};

class SigV4TextSink final : public TextSink {
  public:
    explicit SigV4TextSink(SigV4Text& text) : text_(text) {}
    void add(std::string_view piece) override { fits_ = text_.try_append(piece) && fits_; }
    bool fits() const { return fits_; }

  private:
    SigV4Text& text_;
    bool fits_ = true;
};

// A key of one step, wiped behind it.
struct StepKey {
    ~StepKey() { mbedtls_platform_zeroize(bytes.data(), bytes.size()); }
    Digest bytes{};
};

// HMAC-SHA-256 (RFC 2104) of keys no longer than a block. PSA's own wants a slot for each key, and
// those are not for every context.
class Hmac {
  public:
    explicit Hmac(Bytes key) {
        OTA_ASSERT(key.size() <= pad_.size());
        std::copy(key.begin(), key.end(), pad_.begin());
    }
    ~Hmac() { mbedtls_platform_zeroize(pad_.data(), pad_.size()); }
    Hmac(const Hmac&) = delete;
    Hmac& operator=(const Hmac&) = delete;

    Status value(std::string_view text, Digest& out) {
        OTA_TRY(half(kInner, as_bytes(text), out));
        return half(kInner ^ kOuter, out, out);
    }

  private:
    static constexpr uint8_t kInner = 0x36;
    static constexpr uint8_t kOuter = 0x5C;

    Status half(uint8_t mask, Bytes text, Digest& out) {
        for (uint8_t& byte : pad_) byte = static_cast<uint8_t>(byte ^ mask);
        RunningHash hash(PSA_ALG_SHA_256);
        OTA_TRY(hash.start());
        OTA_TRY(hash.update(pad_));
        OTA_TRY(hash.update(text));
        return hash.value(out);
    }
    std::array<uint8_t, 64> pad_{};  // the block of SHA-256 (FIPS 180-4)
};

Status hmac(const StepKey& key, std::string_view text, Digest& out) {
    return Hmac(key.bytes).value(text, out);
}

// A secret that is longer than a block counts as its digest (RFC 2104).
Status first_key(std::string_view secret, std::string_view day, Digest& out) {
    SecretText<kMaxSigV4Secret + 4> text("AWS4");
    if (!text.try_append(secret)) return kTooMuch;
    if (text.view().size() <= 64) return Hmac(as_bytes(text.view())).value(day, out);
    StepKey digest;
    OTA_TRY(sha256(as_bytes(text.view()), digest.bytes));
    return hmac(digest, day, out);
}

Status signing_key(std::string_view secret, const SigV4Scope& scope, StepKey& out) {
    StepKey step;
    OTA_TRY(first_key(secret, scope.date.substr(0, 8), step.bytes));
    OTA_TRY(hmac(step, scope.region, out.bytes));
    OTA_TRY(hmac(out, scope.service, step.bytes));
    return hmac(step, kTerminator, out.bytes);
}

void add_scope(const SigV4Scope& scope, TextSink& out) {
    out.add(scope.date.substr(0, 8));
    for (const std::string_view part : {scope.region, scope.service, kTerminator}) {
        out.add("/");
        out.add(part);
    }
}

Status sign_text(const SigV4Request& request, const SigV4Scope& scope, const SigV4Key& key,
                 Digest& out) {
    HashSink canonical;
    OTA_TRY(canonical.start());
    OTA_TRY(write_canonical_request(request, canonical));
    Digest digest;
    OTA_TRY(canonical.value(digest));
    SigV4Text text;
    SigV4TextSink sink(text);
    for (const std::string_view line : {kAlgorithm, scope.date}) {
        sink.add(line);
        sink.add("\n");
    }
    add_scope(scope, sink);
    sink.add("\n");
    sink.add(hex_text(digest).view());
    if (!sink.fits()) return kTooMuch;
    StepKey signing;
    OTA_TRY(signing_key(key.secret, scope, signing));
    return hmac(signing, text.view(), out);
}

}  // namespace

Status write_canonical_request(const SigV4Request& request, TextSink& out) {
    Fields fields;
    OTA_TRY(sort_fields(request.fields, fields));
    RunningHash hash(PSA_ALG_SHA_256);
    OTA_TRY(hash.start());
    for (const Bytes piece : request.body) OTA_TRY(hash.update(piece));
    Digest body;
    OTA_TRY(hash.value(body));
    out.add(request.method);
    out.add("\n");
    OTA_TRY(add_path(request.path, out));
    out.add("\n");
    OTA_TRY(add_query(request.query, out));
    out.add("\n");
    add_fields(fields, out);
    out.add("\n");
    add_names(fields, out);
    out.add("\n");
    out.add(hex_text(body).view());
    return {};
}

Status sign_sigv4(const SigV4Request& request, const SigV4Scope& scope, const SigV4Key& key,
                  SigV4Text& out) {
    Digest signature;
    OTA_TRY(sign_text(request, scope, key, signature));
    Fields fields;
    OTA_TRY(sort_fields(request.fields, fields));
    out.assign(kAlgorithm);
    SigV4TextSink sink(out);
    sink.add(" Credential=");
    sink.add(key.id);
    sink.add("/");
    add_scope(scope, sink);
    sink.add(", SignedHeaders=");
    add_names(fields, sink);
    sink.add(", Signature=");
    sink.add(hex_text(signature).view());
    return sink.fits() ? kOkStatus : kTooMuch;
}

}  // namespace ota
