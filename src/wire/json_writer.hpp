// JSON (RFC 8259) written member by member. The text has to have room for the longest: what does
// not fit is cut, as by any append.
#pragma once

#include <concepts>
#include <cstdint>

#include "base/text.hpp"

namespace ota {

// Opens an object; members follow in the order of the calls.
class JsonWriter {
  public:
    // text is emptied first.
    template <size_t N>
    explicit JsonWriter(FixedString<N>& text) : end_(text) {
        text.assign("{");
    }

    // What is not plain comes as '?', so a value takes no more room than it has characters.
    void text(const char* name, std::string_view value);
    // The same with its line ends, which take two.
    void lines(const char* name, std::string_view value);
    template <std::integral T>
    requires(!std::same_as<T, bool>) void number(const char* name, T value) {
        const bool negative = value < 0;
        const auto bits = static_cast<uint64_t>(value);
        put_number(name, negative, negative ? 0 - bits : bits);
    }
    void flag(const char* name, bool value) { raw(name, value ? "true" : "false"); }
    void null(const char* name) { raw(name, "null"); }
    // json: a value as it is.
    void raw(const char* name, std::string_view json);

    void object(const char* name) { open(name, "{"); }
    void list(const char* name) { open(name, "["); }
    // In a list.
    void element(std::string_view value);
    void object() { open("{"); }
    // Of the object or the list that was opened last.
    void end() { close("}"); }
    void end_list() { close("]"); }

  private:
    void put(std::string_view what) { end_.append(what); }
    void put_number(const char* name, bool negative, uint64_t magnitude);
    void separate();
    void key(const char* name);
    void quote(std::string_view value, bool keeps_lines = false);
    void open(const char* name, std::string_view bracket);
    void open(std::string_view bracket);
    void close(std::string_view bracket);

    TextEnd end_;
    bool is_first_ = true;  // of what is open
};

}  // namespace ota
