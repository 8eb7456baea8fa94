#pragma once

#include "observe/event_text.hpp"
#include "observe/log.hpp"

namespace ota {

// Writes states and notices as lines, and one line for each tenth of the package unless something
// else shows the progress.
class EventLog final : public EventSink {
  public:
    EventLog(Log& log, bool with_progress) : log_(log), with_progress_(with_progress) {}
    void on_event(const Event& event) override;

  private:
    void write_progress(const Event& event);
    void write_components(const ComponentResults& components);

    Log& log_;
    const bool with_progress_;
    uint64_t next_tenth_ = 0;
};

}  // namespace ota
