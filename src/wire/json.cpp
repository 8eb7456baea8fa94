#include "wire/json.hpp"

namespace ota {
namespace {

constexpr bool is_blank(int c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

constexpr bool is_digit(int c) {
    return c >= '0' && c <= '9';
}

constexpr bool is_number_part(int c) {
    return is_digit(c) || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

constexpr int hex_value(int c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

// ---------------------------------------------------------------- characters

Status JsonReader::fail() {
    is_broken_ = true;
    return {Code::kMalformed, Origin::kPackage, Detail::kJsonForm};
}

int JsonReader::look() {
    if (!has_ahead_) {
        ahead_ = get();
        has_ahead_ = true;
    }
    return ahead_;
}

int JsonReader::get() {
    if (has_ahead_) {
        has_ahead_ = false;
        return ahead_;
    }
    if (quoted_) return get_quoted();
    return at_ < text_.size() ? static_cast<uint8_t>(text_[at_++]) : kNothing;
}

// A character of a document that stands in a text of another.
int JsonReader::get_quoted() {
    if (pending_count_ != 0) return pending_[--pending_count_];
    if (at_ >= text_.size()) return kNothing;
    const auto c = static_cast<uint8_t>(text_[at_++]);
    if (c < 0x20) is_broken_ = true;
    if (c != '\\') return c;
    if (at_ >= text_.size()) {
        is_broken_ = true;
        return kNothing;
    }
    const char kind = text_[at_++];
    switch (kind) {
        case '"':
        case '\\':
        case '/':
            return kind;
        case 'n':
            return '\n';
        case 't':
            return '\t';
        case 'r':
            return '\r';
        case 'u': {
            uint32_t code = 0;
            for (int i = 0; i < 4; ++i) {
                const int digit = at_ < text_.size() ? hex_value(text_[at_++]) : -1;
                if (digit < 0) is_broken_ = true;
                code = code << 4 | static_cast<uint32_t>(digit & 0xF);
            }
            if (code == 0) is_broken_ = true;
            queue_utf8(code);
            return pending_[--pending_count_];
        }
        default:
            is_broken_ = true;
            return kNothing;
    }
}

// Backwards, as they are taken from the end. A surrogate stands for itself: its text is compared
// with nothing and shown to nobody.
void JsonReader::queue_utf8(uint32_t code) {
    pending_count_ = 0;
    const auto put = [&](uint32_t byte) {
        pending_[pending_count_++] = static_cast<uint8_t>(byte);
    };
    if (code < 0x80) return put(code);
    put(0x80 | (code & 0x3F));
    if (code < 0x800) return put(0xC0 | code >> 6);
    put(0x80 | (code >> 6 & 0x3F));
    put(0xE0 | code >> 12);
}

void JsonReader::skip_blanks() {
    while (is_blank(look())) (void)get();
}

// The next character of the text whose token came last; kNothing behind its end.
int JsonReader::character() {
    if (!in_text_ || is_broken_) return kNothing;
    if (!quoted_ && pending_count_ != 0) return pending_[--pending_count_];
    const int c = get();
    if (c == '"') return kNothing;
    if (c == '\\') return escape();
    // Control characters have to be escaped (RFC 8259 7).
    if (c < 0x20) {
        is_broken_ = true;
        return kNothing;
    }
    return c;
}

int JsonReader::escape() {
    const int kind = get();
    switch (kind) {
        case '"':
        case '\\':
        case '/':
            return kind;
        case 'b':
            return '\b';
        case 'f':
            return '\f';
        case 'n':
            return '\n';
        case 'r':
            return '\r';
        case 't':
            return '\t';
        case 'u':
            break;
        default:
            is_broken_ = true;
            return kNothing;
    }
    uint32_t code = 0;
    for (int i = 0; i < 4; ++i) {
        const int digit = hex_value(get());
        if (digit < 0) is_broken_ = true;
        code = code << 4 | static_cast<uint32_t>(digit & 0xF);
    }
    if (code == 0) is_broken_ = true;  // it would end a text that is handed to C
    if (is_broken_) return kNothing;
    // In a quoted document the queue belongs to the outer level: beyond ASCII it is not needed
    // there.
    if (quoted_) return code < 0x80 ? static_cast<int>(code) : '?';
    queue_utf8(code);
    return pending_[--pending_count_];
}

// ---------------------------------------------------------------- tokens

Result<JsonToken> JsonReader::next() {
    if (in_text_) OTA_TRY(pass_text());
    if (is_broken_) return fail();
    skip_blanks();
    if (want_ == Want::kComma && look() == ',') {
        (void)get();
        skip_blanks();
        want_ = (objects_ >> (depth_ - 1) & 1) != 0 ? Want::kName : Want::kValue;
    }
    const int c = look();
    if (c == kNothing) {
        if (want_ != Want::kNothing || is_broken_) return fail();
        return JsonToken::kEnd;
    }
    if (c == '}') return end(JsonToken::kObjectEnd, true);
    if (c == ']') return end(JsonToken::kArrayEnd, false);
    if (want_ == Want::kName || want_ == Want::kNameOrEnd) {
        if (c != '"') return fail();
        (void)get();
        in_text_ = true;
        want_ = Want::kColon;
        return JsonToken::kText;
    }
    if (want_ == Want::kColon) {
        if (c != ':') return fail();
        (void)get();
        skip_blanks();
        want_ = Want::kValue;
        return value(look());
    }
    if (want_ != Want::kValue && want_ != Want::kValueOrEnd) return fail();
    return value(c);
}

Result<JsonToken> JsonReader::value(int first) {
    switch (first) {
        case '{':
            return begin(JsonToken::kObjectBegin, true);
        case '[':
            return begin(JsonToken::kArrayBegin, false);
        default:
            break;
    }
    want_ = depth_ == 0 ? Want::kNothing : Want::kComma;
    if (first == '-' || is_digit(first)) return JsonToken::kNumber;
    (void)get();
    switch (first) {
        case '"':
            in_text_ = true;
            return JsonToken::kText;
        case 't':
            OTA_TRY(word("rue"));
            return JsonToken::kTrue;
        case 'f':
            OTA_TRY(word("alse"));
            return JsonToken::kFalse;
        case 'n':
            OTA_TRY(word("ull"));
            return JsonToken::kNull;
        default:
            return fail();
    }
}

Status JsonReader::word(std::string_view rest) {
    for (const char c : rest) {
        if (get() != c) return fail();
    }
    return {};
}

Result<JsonToken> JsonReader::begin(JsonToken token, bool is_object) {
    if (depth_ == kMaxNesting) return fail();
    (void)get();
    const uint32_t bit = uint32_t{1} << depth_++;
    objects_ = is_object ? objects_ | bit : objects_ & ~bit;
    want_ = is_object ? Want::kNameOrEnd : Want::kValueOrEnd;
    return token;
}

Result<JsonToken> JsonReader::end(JsonToken token, bool is_object) {
    const bool may_end =
        want_ == Want::kComma || want_ == Want::kNameOrEnd || want_ == Want::kValueOrEnd;
    if (depth_ == 0 || !may_end || (objects_ >> (depth_ - 1) & 1) != (is_object ? 1U : 0U)) {
        return fail();
    }
    (void)get();
    --depth_;
    want_ = depth_ == 0 ? Want::kNothing : Want::kComma;
    return token;
}

// The characters of a number as a whole one, if it is that.
void JsonReader::Whole::add(int c) {
    is_good = is_good && is_digit(c) && value <= (UINT64_MAX - 9) / 10;
    if (is_good) value = value * 10 + static_cast<uint64_t>(c - '0');
    ++digits;
}

Status JsonReader::read_digits(Whole& out) {
    if (!is_digit(look())) return fail();
    while (is_digit(look())) out.add(get());
    return {};
}

// RFC 8259 6.
Status JsonReader::read_number(Whole& out) {
    if (look() == '-') out.add(get());
    if (look() == '0') {
        out.add(get());
    } else {
        OTA_TRY(read_digits(out));
    }
    if (look() == '.') {
        out.add(get());
        OTA_TRY(read_digits(out));
    }
    if (look() == 'e' || look() == 'E') {
        out.add(get());
        if (look() == '+' || look() == '-') out.add(get());
        OTA_TRY(read_digits(out));
    }
    return is_number_part(look()) ? fail() : kOkStatus;
}

Status JsonReader::pass_number() {
    Whole ignored;
    return read_number(ignored);
}

Status JsonReader::take_object(std::string_view& out) {
    if (quoted_) return fail();
    const size_t begin = at_ - 1;  // its brace was taken, and nothing is looked at ahead of it
    OTA_TRY(pass(JsonToken::kObjectBegin));
    out = text_.substr(begin, at_ - begin);
    return {};
}

Status JsonReader::take_number(JsonToken token, uint64_t& out) {
    Whole number;
    if (token == JsonToken::kText) {
        OTA_TRY(each_character([&](char c) {
            number.add(static_cast<uint8_t>(c));
            return true;
        }));
    } else if (token == JsonToken::kNumber) {
        OTA_TRY(read_number(number));
    } else {
        OTA_TRY(pass(token));
    }
    if (!number.is_good || number.digits == 0) {
        return {Code::kOutOfRange, Origin::kPackage, Detail::kJsonForm};
    }
    out = number.value;
    return {};
}

Status JsonReader::take_document(JsonReader& out) {
    if (!in_text_ || quoted_ || has_ahead_) return fail();
    const size_t from = at_;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2U : 1U;
    if (at_ >= text_.size()) return fail();
    out = JsonReader(text_.substr(from, at_ - from), true);
    ++at_;
    in_text_ = false;
    return {};
}

Status JsonReader::pass(JsonToken token) {
    switch (token) {
        case JsonToken::kText:
            return pass_text();
        case JsonToken::kNumber:
            return pass_number();
        case JsonToken::kObjectBegin:
        case JsonToken::kArrayBegin:
            break;
        default:
            return {};
    }
    for (const size_t outside = depth_ - 1; depth_ != outside;) {
        OTA_TRY_ASSIGN(const JsonToken inner, next());
        if (inner == JsonToken::kNumber) OTA_TRY(pass_number());
    }
    return {};
}

}  // namespace ota
