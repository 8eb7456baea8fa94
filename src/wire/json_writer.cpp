#include "wire/json_writer.hpp"

namespace ota {

void JsonWriter::separate() {
    if (!is_first_) put(",");
    is_first_ = false;
}

void JsonWriter::key(const char* name) {
    separate();
    put("\"");
    put(name);
    put("\":");
}

void JsonWriter::raw(const char* name, std::string_view json) {
    key(name);
    put(json);
}

void JsonWriter::text(const char* name, std::string_view value) {
    key(name);
    quote(value);
}

void JsonWriter::lines(const char* name, std::string_view value) {
    key(name);
    quote(value, true);
}

void JsonWriter::element(std::string_view value) {
    separate();
    quote(value);
}

void JsonWriter::quote(std::string_view value, bool keeps_lines) {
    put("\"");
    for (const char& c : value) {
        const bool is_end = keeps_lines && c == '\n';
        put(is_end ? std::string_view("\\n") : std::string_view(is_plain(c) ? &c : "?", 1));
    }
    put("\"");
}

void JsonWriter::put_number(const char* name, bool negative, uint64_t magnitude) {
    FixedString<20> digits;
    append_decimal(digits, magnitude);
    raw(name, negative ? "-" : "");
    put(digits.view());
}

void JsonWriter::open(const char* name, std::string_view bracket) {
    raw(name, bracket);
    is_first_ = true;
}

void JsonWriter::open(std::string_view bracket) {
    separate();
    put(bracket);
    is_first_ = true;
}

void JsonWriter::close(std::string_view bracket) {
    put(bracket);
    is_first_ = false;
}

}  // namespace ota
