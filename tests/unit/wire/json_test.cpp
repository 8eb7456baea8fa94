// JSON read token by token, against documents that are as they should be and others.
#include "wire/json.hpp"

#include <optional>
#include <string>

#include "support/test.hpp"

namespace ota {
namespace {

// The tokens as letters; '!' when it is malformed.
std::string tokens_of(std::string_view text, bool quoted = false) {
    JsonReader in(text, quoted);
    std::string out;
    for (size_t i = 0; i <= 2 * text.size() + 2; ++i) {
        const Result<JsonToken> token = in.next();
        if (!token.ok()) return out + "!";
        out += "{}[]snTFN."[static_cast<size_t>(*token)];
        if (*token == JsonToken::kEnd) return out;
        if (*token == JsonToken::kNumber && !in.pass(*token).ok()) return out + "!";
    }
    return out + "endless";
}

TEST(Json, TokensOfEachKind) {
    EXPECT_EQ(tokens_of("{}"), "{}.");
    EXPECT_EQ(tokens_of(" [ ] "), "[].");
    EXPECT_EQ(tokens_of("\"text\""), "s.");
    EXPECT_EQ(tokens_of("-1.5e+3"), "n.");
    EXPECT_EQ(tokens_of(R"({"a":1,"b":[true,false,null,"x",{}]})"), "{sns[TFNs{}]}.");
    EXPECT_EQ(tokens_of("\t[1,\r\n2]"), "[nn].");
}

TEST(Json, WhatIsMalformedIsRefused) {
    for (const char* text : {"",          "{",
                             "[",         "}",
                             "]",         "{]",
                             "[}",        "{\"a\"}",
                             "{\"a\":}",  "{\"a\":1,}",
                             "[1,]",      "[,1]",
                             "[1 2]",     "{1:2}",
                             "{\"a\" 1}", "\"",
                             "\"\\x\"",   "\"\\u12g4\"",
                             "\"\\",      "tru",
                             "nul",       "+1",
                             "[1]2",      "{} {}",
                             "\"a\nb\"",  "{\"a\":1 \"b\":2}",
                             "[\"a\":1]", ":",
                             ",",         "\"\x01\""}) {
        const std::string tokens = tokens_of(text);
        EXPECT_EQ(tokens.back(), '!') << text << " gives " << tokens;
    }
    std::string deep(JsonReader::kMaxNesting, '[');
    EXPECT_EQ(tokens_of(deep + std::string(JsonReader::kMaxNesting, ']')).back(), '.');
    EXPECT_EQ(tokens_of(deep + "[").back(), '!');
}

TEST(Json, NumbersAreAsTheGrammarHasThem) {
    for (const char* good : {"0", "-0", "10", "-1.50", "0.05", "1e3", "2E-07", "-3.1e+0"}) {
        EXPECT_EQ(tokens_of(good).back(), '.') << good;
        EXPECT_EQ(tokens_of(good, true).back(), '.') << good;
        EXPECT_EQ(tokens_of(std::string("[{\"a\":[") + good + "," + good + "]}]").back(), '.')
            << good;
    }
    for (const char* bad :
         {"01", "-01", "00", "-", "--1", "1.", "1.e3", ".5", "1e", "1e+", "1e5.5", "1-2", "1+"}) {
        EXPECT_EQ(tokens_of(bad).back(), '!') << bad;
        EXPECT_EQ(tokens_of(bad, true).back(), '!') << bad;
        uint64_t number = 0;
        JsonReader alone(bad);
        if (alone.next().ok()) {
            EXPECT_TRUE(alone.take_number(JsonToken::kNumber, number).is(Code::kMalformed)) << bad;
        }
        // Also when it is passed by with what it stands in.
        const std::string inside = std::string("[[") + bad + "]]";
        JsonReader around(inside);
        EXPECT_EQ(*around.next(), JsonToken::kArrayBegin);
        EXPECT_FALSE(around.pass(JsonToken::kArrayBegin).ok()) << bad;
    }
}

TEST(Json, TextsWithTheirEscapes) {
    const auto text_of = [](std::string_view text) {
        JsonReader in(text);
        FixedString<32> out;
        EXPECT_EQ(*in.next(), JsonToken::kText);
        EXPECT_TRUE(in.take_text(out).ok());
        EXPECT_EQ(*in.next(), JsonToken::kEnd);
        return std::string(out.view());
    };
    EXPECT_EQ(text_of(R"("plain")"), "plain");
    EXPECT_EQ(text_of(R"("\"\\\/\b\f\n\r\t")"), "\"\\/\b\f\n\r\t");
    EXPECT_EQ(text_of(R"("\u0041\u00e9\u20ac")"), "A\xC3\xA9\xE2\x82\xAC");
    EXPECT_EQ(text_of("\"\xE2\x82\xAC\""), "\xE2\x82\xAC");
}

TEST(Json, TextThatIsTooLongIsPassedBy) {
    JsonReader in(R"(["0123456789",7])");
    FixedString<4> out;
    uint64_t number = 0;
    EXPECT_EQ(*in.next(), JsonToken::kArrayBegin);
    EXPECT_EQ(*in.next(), JsonToken::kText);
    EXPECT_TRUE(in.take_text(out).is(Code::kNoSpace));
    EXPECT_EQ(*in.next(), JsonToken::kNumber);
    EXPECT_TRUE(in.take_number(JsonToken::kNumber, number).ok());
    EXPECT_EQ(number, 7U);
}

TEST(Json, NumbersAlsoInQuotes) {
    const auto number_of = [](std::string_view text) -> std::optional<uint64_t> {
        JsonReader in(text);
        uint64_t out = 0;
        const JsonToken token = *in.next();
        if (!in.take_number(token, out).ok()) return std::nullopt;
        return *in.next() == JsonToken::kEnd ? std::optional<uint64_t>(out) : std::nullopt;
    };
    EXPECT_EQ(number_of("0"), 0U);
    EXPECT_EQ(number_of("1048576"), 1048576U);
    EXPECT_EQ(number_of("\"1048576\""), 1048576U);
    for (const char* bad :
         {"-1", "1.5", "1e3", "-0", "\"\"", "\"12a\"", "99999999999999999999", "true"}) {
        EXPECT_EQ(number_of(bad), std::nullopt) << bad;
    }
}

TEST(Json, ValuesOfNoInterestArePassedBy) {
    JsonReader in(R"({"a":{"b":[1,{"c":"}"}]},"d":12,"e":"f"})");
    std::string names;
    std::string last;
    EXPECT_EQ(*in.next(), JsonToken::kObjectBegin);
    EXPECT_TRUE(each_member(in, [&](std::string_view name) -> Status {
                    names += name;
                    OTA_TRY_ASSIGN(const JsonToken token, in.next());
                    if (name != "e") return in.pass(token);
                    FixedString<8> text;
                    OTA_TRY(in.take_text(text));
                    last = text.view();
                    return {};
                }).ok());
    EXPECT_EQ(names, "ade");
    EXPECT_EQ(last, "f");
    EXPECT_EQ(*in.next(), JsonToken::kEnd);
}

// The HTTPS API hands a job document over as a text.
TEST(Json, DocumentInsideATextIsReadInPlace) {
    const std::string_view text =
        R"({"doc":"{\"a\":\"x\\\"y\\u0041\",\"n\":[1,2],\"u\":\"\u00e9\"}","z":1})";
    JsonReader in(text);
    JsonReader inner;
    EXPECT_EQ(*in.next(), JsonToken::kObjectBegin);
    EXPECT_EQ(*in.next(), JsonToken::kText);
    EXPECT_EQ(*in.next(), JsonToken::kText);
    EXPECT_TRUE(in.take_document(inner).ok());
    EXPECT_EQ(*in.next(), JsonToken::kText);
    EXPECT_EQ(*inner.next(), JsonToken::kObjectBegin);
    EXPECT_EQ(*inner.next(), JsonToken::kText);
    EXPECT_EQ(*inner.next(), JsonToken::kText);
    FixedString<16> value;
    EXPECT_TRUE(inner.take_text(value).ok());
    EXPECT_EQ(value.view(), "x\"yA");
    EXPECT_EQ(tokens_of(R"({\"a\":[1,true,\"\u0062\"]})", true), "{s[nTs]}.");
    for (const char* bad : {R"({\"a\")", R"(\)", R"(\q)", R"({\"a\":\"\u12\"})"}) {
        EXPECT_EQ(tokens_of(bad, true).back(), '!') << bad;
    }
}

TEST(Json, EveryPrefixOfADocumentEndsInAnError) {
    const std::string whole = R"({"a":[1,"b\u0041\n",{"c":null}],"d":true})";
    for (size_t size = 0; size < whole.size(); ++size) {
        EXPECT_EQ(tokens_of(whole.substr(0, size)).back(), '!') << size;
    }
    EXPECT_EQ(tokens_of(whole).back(), '.');
}

}  // namespace
}  // namespace ota
