#include "observe/metrics_log.hpp"

#include "base/text.hpp"
#include "observe/event_text.hpp"
#include "observe/log_text.hpp"

namespace ota {
namespace {

struct Metric {
    std::string_view name;
    std::string_view unit;  // of CloudWatch's list
    uint64_t value;
};

// An attempt that goes on behind a restart is counted when its end is known.
bool is_over(Outcome outcome) {
    return outcome != Outcome::kNone && outcome != Outcome::kRestarted;
}

void append_member(MetricText& out, std::string_view name, std::string_view value) {
    out.append(",\"");
    out.append(name);
    out.append("\":\"");
    for (const char& c : value) {
        const bool plain = c >= ' ' && c <= '~' && c != '"' && c != '\\';
        out.append(plain ? std::string_view(&c, 1) : std::string_view("?"));
    }
    out.append("\"");
}

}  // namespace

void format_metrics(const AttemptRecord& attempt, std::string_view metrics_namespace,
                    std::string_view thing, Millis at, MetricText& out) {
    const bool failed =
        attempt.outcome == Outcome::kFailed || attempt.outcome == Outcome::kReverted;
    const std::array<Metric, 5> metrics = {{
        {"Duration", "Seconds", attempt.duration_ms / 1000},
        {"Paused", "Seconds", attempt.paused_ms / 1000},
        {"Received", "Bytes", attempt.received},
        {"Retries", "Count", attempt.retries},
        {"Failures", "Count", failed ? 1U : 0U},
    }};
    out.assign("{\"_aws\":{\"Timestamp\":");
    out.append(stamp_text(at).view());
    out.append(",\"CloudWatchMetrics\":[{\"Namespace\":\"");
    out.append(metrics_namespace);
    out.append("\",\"Dimensions\":[[\"Source\",\"Outcome\"]],\"Metrics\":[");
    for (const Metric& metric : metrics) {
        out.append(&metric == metrics.data() ? "{\"Name\":\"" : ",{\"Name\":\"");
        out.append(metric.name);
        out.append("\",\"Unit\":\"");
        out.append(metric.unit);
        out.append("\"}");
    }
    out.append("]}]}");
    append_member(out, "Source", source_text(attempt.source));
    append_member(out, "Outcome", outcome_text(attempt.outcome));
    append_member(out, "Version", attempt.version.view());
    append_member(out, "Thing", thing);
    for (const Metric& metric : metrics) {
        out.append(",\"");
        out.append(metric.name);
        out.append("\":");
        append_decimal(out, metric.value);
    }
    out.append("}");
}

void MetricsLog::on_event(const Event& event) {
    if (log_ == nullptr || event.kind != Event::Kind::kReport) return;
    if (!is_over(event.attempt->outcome)) return;
    MetricText text;
    format_metrics(*event.attempt, namespace_, thing_, log_->now(), text);
    log_->write_metrics(text.view());
}

}  // namespace ota
