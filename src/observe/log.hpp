// The front of the log: one bounded line for each message, to every sink whose level it reaches.
#pragma once

#include <atomic>
#include <concepts>
#include <span>

#include "base/fixed.hpp"
#include "base/secret_text.hpp"
#include "ports/log.hpp"

namespace ota {

using LogLine = FixedString<kMaxLogLine>;

// What may stand in a message: numbers, texts and statuses. Credentials may not.
class LogValue {
  public:
    enum class Kind : uint8_t { kText, kSigned, kUnsigned, kStatus };

    LogValue(std::string_view text) : kind_(Kind::kText), text_(text) {}
    LogValue(const char* text) : LogValue(std::string_view(text)) {}
    LogValue(Status status) : kind_(Kind::kStatus), status_(status) {}
    LogValue(std::signed_integral auto number) : kind_(Kind::kSigned), number_(number) {}
    LogValue(std::unsigned_integral auto number)
        : kind_(Kind::kUnsigned), number_(static_cast<int64_t>(number)) {}
    template <size_t N>
    LogValue(const FixedString<N>& text) : LogValue(text.view()) {}
    template <size_t N>
    LogValue(const SecretText<N>&) = delete;

    void append_to(LogLine& line) const;

  private:
    Kind kind_;
    std::string_view text_;
    int64_t number_ = 0;
    Status status_;
};

// A text with {} where a value goes; as many of them as there are values, or it does not compile.
template <std::convertible_to<LogValue>... Values>
struct LogFormat {
    template <size_t N>
    consteval LogFormat(const char (&format)[N]) : text(format) {
        size_t places = 0;
        for (size_t i = 0; i + 2 < N; ++i) places += format[i] == '{' && format[i + 1] == '}';
        if (places != sizeof...(Values)) a_message_has_a_place_for_each_value();
    }
    const char* text;

  private:
    static void a_message_has_a_place_for_each_value() {}
};

// Engine context, but for set_level(). Nothing here waits for a sink.
class Log {
  public:
    static constexpr size_t kMaxSinks = 3;
    static constexpr uint32_t kMostInAWindow = 30;  // lines of one kind …
    static constexpr Millis kWindow = 60000;        // … in this time; the others are counted

    // boot: random, so that lines of two starts can be told apart.
    Log(Clock& clock, TimeFloor floor, uint32_t boot) : clock_(clock), floor_(floor), boot_(boot) {}

    // Its number, for set_level(). There is room for three.
    size_t add_sink(LogSink& sink, LogLevel level);
    // Any context.
    void set_level(size_t sink, LogLevel level) { levels_[sink] = level; }

    template <typename... Values>
    void write(LogLevel level, const char* tag, LogFormat<std::type_identity_t<Values>...> format,
               const Values&... values) {
        const std::array<LogValue, sizeof...(Values) + 1> all{LogValue(values)..., LogValue("")};
        write_values(level, tag, format.text, {all.data(), sizeof...(Values)});
    }
    // A line that is made already; kind: what the lines of one message have in common.
    void write_line(LogLevel level, const char* tag, const void* kind, std::string_view text);
    // For CloudWatch alone: a JSON object in its embedded metric format.
    void write_metrics(std::string_view json);
    Millis now() { return clock_.now(); }

  private:
    struct Flood {
        const void* kind = nullptr;
        Millis since = 0;
        uint32_t lines = 0;
        uint32_t left_out = 0;
    };

    void write_values(LogLevel level, const char* tag, const char* format,
                      std::span<const LogValue> values);
    bool reaches_anybody(LogLevel level) const;
    Flood& flood_of(const void* kind);
    void give(LogRecord& record);

    Clock& clock_;
    const TimeFloor floor_;
    const uint32_t boot_;
    uint32_t sequence_ = 0;
    std::array<LogSink*, kMaxSinks> sinks_{};
    std::array<std::atomic<LogLevel>, kMaxSinks> levels_{};
    size_t sink_count_ = 0;
    std::array<Flood, 24> floods_{};
};

}  // namespace ota
