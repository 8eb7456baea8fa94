// JSON (RFC 8259) read token by token: nothing is held but the place in the text, so a document may
// be longer than any buffer. A document inside a string of another one is read in place.
#pragma once

#include "base/bytes.hpp"
#include "base/fixed.hpp"
#include "base/status.hpp"

namespace ota {

enum class JsonToken : uint8_t {
    kObjectBegin,
    kObjectEnd,
    kArrayBegin,
    kArrayEnd,
    kText,  // also the name of a member
    kNumber,
    kTrue,
    kFalse,
    kNull,
    kEnd,
};

// Failures are kMalformed / kJsonForm, and stay. Values are read after their token by take_…, or
// passed by.
class JsonReader {
  public:
    static constexpr size_t kMaxNesting = 16;

    JsonReader() = default;
    // quoted: the text stands between the quotation marks of another document.
    explicit JsonReader(std::string_view text, bool quoted = false)
        : text_(text), quoted_(quoted) {}

    // What comes next; of a text or a number its characters are still to be taken.
    Result<JsonToken> next();

    // Of the text whose token came last. kNoSpace: it is longer than out holds; it is passed by.
    template <size_t N>
    Status take_text(FixedString<N>& out) {
        out.clear();
        return each_character([&](char c) { return out.try_append({&c, 1}); });
    }
    // The same with a sink of its own: sink(c) says whether c had room; behind the first that had
    // none it is not called any more. kNoSpace: as above.
    template <typename Sink>
    Status each_character(Sink sink) {
        bool fits = true;
        for (int c = character(); c != kNothing; c = character()) {
            fits = fits && sink(static_cast<char>(c));
        }
        in_text_ = false;
        if (is_broken_) return fail();
        return fits ? kOkStatus : Status{Code::kNoSpace, Origin::kPackage, Detail::kJsonForm};
    }
    // The same without its characters.
    Status pass_text() {
        return each_character([](char) { return true; });
    }
    // The characters of a text as another document. Of a text that is quoted twice: kMalformed.
    Status take_document(JsonReader& out);
    // Of the object whose first token came last: its text, braces included; it is passed by. Of one
    // in a quoted document: kMalformed.
    Status take_object(std::string_view& out);
    // Of the number whose token came last, or of the text of digits: servers quote numbers.
    // kOutOfRange: negative, with a fraction or an exponent, or too large; it is passed by.
    Status take_number(JsonToken token, uint64_t& out);

    // Passes the value by whose first token came last.
    Status pass(JsonToken token);

  private:
    static constexpr int kNothing = -1;

    struct Whole {
        void add(int c);

        uint64_t value = 0;
        bool is_good = true;
        size_t digits = 0;
    };
    Status read_digits(Whole& out);
    Status read_number(Whole& out);
    Status pass_number();
    int look();
    int get();
    int get_quoted();
    void skip_blanks();
    Status word(std::string_view rest);
    Result<JsonToken> begin(JsonToken token, bool is_object);
    Result<JsonToken> end(JsonToken token, bool is_object);
    Result<JsonToken> value(int first);
    Status fail();

    int character();
    int escape();
    void queue_utf8(uint32_t code);

    enum class Want : uint8_t { kValue, kValueOrEnd, kName, kNameOrEnd, kColon, kComma, kNothing };

    std::string_view text_;
    size_t at_ = 0;
    bool quoted_ = false;
    int ahead_ = kNothing;  // looked at, not taken
    bool has_ahead_ = false;
    std::array<uint8_t, 4> pending_{};  // bytes of a character whose first one was given
    size_t pending_count_ = 0;
    size_t depth_ = 0;
    uint32_t objects_ = 0;  // which levels are objects, by bit
    Want want_ = Want::kValue;
    bool in_text_ = false;
    bool is_broken_ = false;
};

// Calls visit(name) for each member of the object whose token came last; visit takes the value's
// token and the value. Names that are longer than any of ours come as "".
template <typename Visit>
Status each_member(JsonReader& in, Visit visit) {
    while (true) {
        OTA_TRY_ASSIGN(const JsonToken token, in.next());
        if (token == JsonToken::kObjectEnd) return {};
        FixedString<40> name;
        const Status taken = in.take_text(name);
        if (taken.is(Code::kNoSpace)) {
            name.clear();
        } else {
            OTA_TRY(taken);
        }
        OTA_TRY(visit(name.view()));
    }
}

}  // namespace ota
