// What an attempt took, for dashboards and alarms: CloudWatch's embedded metric format.
#pragma once

#include "observe/log.hpp"
#include "ports/events.hpp"

namespace ota {

// Engine context. Dimensions are those of a fleet, for each combination is billed: source and
// outcome. Which device it was is a plain member, by which the log can be searched.
class MetricsLog final : public EventSink {
  public:
    // Both stay the caller's.
    void set(Log& log, const char* metrics_namespace, const char* thing) {
        log_ = &log;
        namespace_ = metrics_namespace;
        thing_ = thing;
    }
    void on_event(const Event& event) override;

  private:
    Log* log_ = nullptr;  // null: nobody wants them
    std::string_view namespace_;
    std::string_view thing_;
};

using MetricText = FixedString<kMaxLogMetric>;
// The object; its time is the device's, in milliseconds, with thirteen digits.
void format_metrics(const AttemptRecord& attempt, std::string_view metrics_namespace,
                    std::string_view thing, Millis at, MetricText& out);

}  // namespace ota
