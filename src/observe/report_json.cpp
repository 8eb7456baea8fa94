#include "observe/report_json.hpp"

#include <cstdio>

#include "base/hex.hpp"
#include "base/status_text.hpp"
#include "observe/event_text.hpp"

namespace ota {
namespace {

class JsonWriter {
  public:
    explicit JsonWriter(ReportText& out) : out_(out) { out_.assign("{"); }

    void text(std::string_view name, std::string_view value) {
        key(name);
        out_.append("\"");
        for (const char c : value) {
            const bool plain = c >= ' ' && c <= '~' && c != '"' && c != '\\';
            out_.append(plain ? std::string_view(&c, 1) : std::string_view("?"));
        }
        out_.append("\"");
    }
    void number(std::string_view name, uint32_t value) {
        std::array<char, 16> digits{};
        std::snprintf(digits.data(), digits.size(), "%lu", static_cast<unsigned long>(value));
        key(name);
        out_.append(digits.data());
    }
    void components(const ComponentResults& results) {
        key("components");
        out_.append("{");
        for (const ComponentResult& result : results) {
            if (out_.view().back() != '{') out_.append(",");
            out_.append("\"");
            out_.append(component_text(result.component).view());
            out_.append("\":\"");
            out_.append(component_outcome_text(result.outcome));
            out_.append("\"");
        }
        out_.append("}");
    }
    void end() { out_.append("}\n"); }

  private:
    void key(std::string_view name) {
        out_.append(out_.view().size() == 1 ? "\"" : ",\"");
        out_.append(name);
        out_.append("\":");
    }
    ReportText& out_;
};

}  // namespace

void format_report_json(const AttemptRecord& attempt, RevertReason revert, ReportText& out) {
    JsonWriter json(out);
    json.text("build_id", hex_text(attempt.build_id).view());  // first: FileChannel looks for it
    json.text("version", attempt.version.view());
    json.text("outcome", outcome_text(attempt.outcome));
    json.text("phase", state_name(attempt.phase));
    json.text("why", attempt.why.ok() ? "" : status_text(attempt.why));
    json.text("revert", revert == RevertReason::kNone ? "" : revert_reason_text(revert));
    json.text("reset", attempt.reset ? reset_text(attempt.reset) : "");
    json.number("received", attempt.received);
    json.number("resumed_at", attempt.resumed_at);
    json.number("retries", attempt.retries);
    json.number("pauses", attempt.pauses);
    json.number("paused_ms", attempt.paused_ms);
    json.number("duration_ms", attempt.duration_ms);
    if (!attempt.components.empty()) json.components(attempt.components);
    json.end();
}

}  // namespace ota
