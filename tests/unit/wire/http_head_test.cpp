#include "wire/http_head.hpp"

#include <string>

#include "support/test.hpp"
#include "wire/http_date.hpp"

namespace ota {
namespace {

TEST(HttpHead, ContentRange) {
    ContentRange range;
    ASSERT_TRUE(parse_content_range("bytes 0-287/1500000", range));
    EXPECT_TRUE(range.satisfied);
    EXPECT_EQ(range.first, 0U);
    EXPECT_EQ(range.last, 287U);
    EXPECT_EQ(range.total, 1500000U);
    ASSERT_TRUE(parse_content_range("Bytes 5-5/*", range));
    EXPECT_EQ(range.total, kUnknownLength);
    ASSERT_TRUE(parse_content_range("bytes */77", range));
    EXPECT_FALSE(range.satisfied);
    EXPECT_EQ(range.total, 77U);
    for (const char* bad :
         {"", "bytes", "bytes 0-1", "bytes 1-0/5", "bytes 0-5/5", "bytes */*", "bytes -1-2/5",
          "bytes 0-/5", "bytes a-b/c", "items 0-1/5", "bytes 0-1/-5", "bytes 0 - 1/5",
          "bytes 0-99999999999999999999/99999999999999999999"}) {
        EXPECT_FALSE(parse_content_range(bad, range)) << bad;
    }
}

TEST(HttpHead, FieldsAreForgottenWithANewHead) {
    HttpHead head;
    head.on_status(200);
    head.on_field("ETAG", "W/\"abc\"");
    head.on_field("content-length", "12");
    head.on_field("Last-Modified", "x");
    head.on_field("Location", "/y");
    head.on_field("Content-Encoding", "gzip");
    head.on_field("Content-Range", "nonsense");
    head.on_field("X-Amz-Meta-Release-Notes", "Fixes the fan\x01 \xc3\xa4");
    EXPECT_TRUE(head.entity_tag() == "W/\"abc\"");
    EXPECT_EQ(head.content_length(), 12U);
    EXPECT_TRUE(head.location() == "/y");
    EXPECT_TRUE(head.is_encoded());
    EXPECT_TRUE(head.malformed_range());
    EXPECT_TRUE(head.notes() == "Fixes the fan? ??");
    head.on_status(206);
    EXPECT_EQ(head.status(), 206);
    EXPECT_TRUE(head.entity_tag().empty());
    EXPECT_EQ(head.content_length(), kUnknownLength);
    EXPECT_TRUE(head.location().empty());
    EXPECT_FALSE(head.is_encoded());
    EXPECT_FALSE(head.malformed_range());
    EXPECT_FALSE(head.content_range().has_value());
    EXPECT_TRUE(head.notes().empty());
    EXPECT_TRUE(head.last_modified().empty());
}

TEST(HttpHead, WhatDoesNotFitIsLeftOut) {
    HttpHead head;
    head.on_status(302);
    head.on_field("Location", std::string(kMaxUri + 1, 'a'));
    EXPECT_TRUE(head.location().empty());
    head.on_field("ETag", "\"" + std::string(80, 'a') + "\"");
    EXPECT_TRUE(head.entity_tag().empty());
    head.on_field("ETag", "no quotes");
    EXPECT_TRUE(head.entity_tag().empty());
    head.on_field("ETag", "\"a\"b\"");
    EXPECT_TRUE(head.entity_tag().empty());
    head.on_field("Content-Range", "bytes 0-1/5");
    EXPECT_FALSE(head.malformed_range());
    head.on_field("Content-Range", "bytes 0-2/5");
    EXPECT_TRUE(head.malformed_range());
    head.on_field("X-Release-Notes", std::string(500, 'n'));
    EXPECT_EQ(head.notes().size(), 128U);
}

TEST(HttpHead, RetryAfter) {
    HttpHead head;
    head.on_status(503);
    EXPECT_FALSE(head.retry_after(0).has_value());
    head.on_field("Retry-After", "120");
    EXPECT_EQ(head.retry_after(0).value_or(0), 120U);
    head.on_field("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(head.retry_after(784111777 - 30).value_or(0), 30U);
    EXPECT_EQ(head.retry_after(784111777 + 30).value_or(99), 0U);
    head.on_field("Retry-After", "soon");
    EXPECT_FALSE(head.retry_after(0).has_value());
}

TEST(HttpDate, DaysOfTheCalendar) {
    EXPECT_EQ(parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT").value_or(-1), 0);
    EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").value_or(-1), 784111777);
    EXPECT_EQ(parse_http_date("Thu, 29 Feb 2024 23:59:59 GMT").value_or(-1), 1709251199);
    EXPECT_EQ(parse_http_date("Tue, 19 Jan 2038 03:14:08 GMT").value_or(-1), 2147483648);
    for (const char* bad : {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET",
                            "Sun, 06 Nox 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
                            "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 anF 1994 08:49:37 GMT",
                            "Sun, 06 Nov 1969 08:49:37 GMT"}) {
        EXPECT_FALSE(parse_http_date(bad).has_value()) << bad;
    }
    EXPECT_EQ(parse_compile_time("Nov  6 1994", "08:49:37").value_or(-1), 784111777);
    EXPECT_FALSE(parse_compile_time("", "").has_value());
    EXPECT_FALSE(parse_compile_time("Nov  6 1994", "8:49:37").has_value());
}

}  // namespace
}  // namespace ota
