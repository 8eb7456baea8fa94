#include "observe/report_json.hpp"

#include "base/hex.hpp"
#include "base/status_text.hpp"
#include "observe/event_text.hpp"
#include "wire/json_writer.hpp"

namespace ota {
namespace {

void add_components(JsonWriter& json, const ComponentResults& results) {
    json.object("components");
    for (const ComponentResult& result : results) {
        json.text(component_text(result.component).c_str(), component_outcome_text(result.outcome));
    }
    json.end();
}

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
    if (!attempt.components.empty()) add_components(json, attempt.components);
    json.end();
    out.append("\n");
}

}  // namespace ota
