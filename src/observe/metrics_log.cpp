#include "observe/metrics_log.hpp"

#include "observe/event_text.hpp"
#include "observe/log_text.hpp"
#include "wire/json_writer.hpp"

namespace ota {
namespace {

struct Metric {
    const char* name;
    const char* unit;  // of CloudWatch's list
    uint64_t value;
};

// An attempt that goes on behind a restart is counted when its end is known.
bool is_over(Outcome outcome) {
    return outcome != Outcome::kNone && outcome != Outcome::kRestarted;
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
    JsonWriter json(out);
    json.object("_aws");
    json.raw("Timestamp", stamp_text(at).view());
    json.list("CloudWatchMetrics");
    json.object();
    json.text("Namespace", metrics_namespace);
    json.raw("Dimensions", R"([["Source","Outcome"]])");
    json.list("Metrics");
    for (const Metric& metric : metrics) {
        json.object();
        json.text("Name", metric.name);
        json.text("Unit", metric.unit);
        json.end();
    }
    json.end_list();
    json.end();
    json.end_list();
    json.end();
    json.text("Source", source_text(attempt.source));
    json.text("Outcome", outcome_text(attempt.outcome));
    json.text("Version", attempt.version.view());
    json.text("Thing", thing);
    for (const Metric& metric : metrics) json.number(metric.name, metric.value);
    json.end();
}

void MetricsLog::on_event(const Event& event) {
    if (log_ == nullptr || event.kind != Event::Kind::kReport) return;
    if (!is_over(event.attempt->outcome)) return;
    MetricText text;
    format_metrics(*event.attempt, namespace_, thing_, log_->now(), text);
    log_->write_metrics(text.view());
}

}  // namespace ota
