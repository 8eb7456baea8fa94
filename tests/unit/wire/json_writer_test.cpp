#include "wire/json_writer.hpp"

#include "support/test.hpp"
#include "wire/json.hpp"

namespace ota {
namespace {

TEST(JsonWriter, EveryKindOfMember) {
    FixedString<256> out("what was there before");
    JsonWriter json(out);
    json.text("text", "a b");
    json.number("most", UINT64_MAX);
    json.number("least", INT64_MIN);
    json.number("zero", uint16_t{0});
    json.flag("yes", true);
    json.flag("no", false);
    json.null("nothing");
    json.raw("raw", "[1,2]");
    json.end();
    EXPECT_EQ(out.view(),
              R"({"text":"a b","most":18446744073709551615,"least":-9223372036854775808,"zero":0,)"
              R"("yes":true,"no":false,"nothing":null,"raw":[1,2]})");
}

TEST(JsonWriter, CommasStandBetweenWhatIsNested) {
    FixedString<128> out;
    JsonWriter json(out);
    json.object("empty");
    json.end();
    json.list("list");
    json.element("a");
    json.element("b");
    json.object();
    json.number("n", -1);
    json.end();
    json.object();
    json.end();
    json.end_list();
    json.list("none");
    json.end_list();
    json.text("last", "");
    json.end();
    EXPECT_EQ(out.view(), R"({"empty":{},"list":["a","b",{"n":-1},{}],"none":[],"last":""})");
}

// Whatever a value holds, it can't end its text, nor begin anything of its own.
TEST(JsonWriter, EveryByteOfAValueStaysInIt) {
    for (int byte = 0; byte < 256; ++byte) {
        const char c = static_cast<char>(byte);
        FixedString<32> out;
        JsonWriter json(out);
        json.text("v", {&c, 1});
        json.lines("l", {&c, 1});
        json.end();
        const bool plain = byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
        const std::string_view as_it_is(&c, 1);
        JsonReader in(out.view());
        EXPECT_EQ(*in.next(), JsonToken::kObjectBegin);
        for (const bool also_as_it_is : {false, c == '\n'}) {
            FixedString<8> read;
            EXPECT_EQ(*in.next(), JsonToken::kText);
            EXPECT_TRUE(in.pass_text().ok());
            EXPECT_EQ(*in.next(), JsonToken::kText);
            EXPECT_TRUE(in.take_text(read).ok());
            EXPECT_EQ(read.view(), (plain || also_as_it_is ? as_it_is : "?"));
        }
        EXPECT_EQ(*in.next(), JsonToken::kObjectEnd);
        EXPECT_EQ(*in.next(), JsonToken::kEnd);
    }
}

TEST(JsonWriter, WhatDoesNotFitIsCut) {
    FixedString<8> out;
    JsonWriter json(out);
    json.text("name", "value");
    json.end();
    EXPECT_EQ(out.view(), R"({"name":)");
}

}  // namespace
}  // namespace ota
