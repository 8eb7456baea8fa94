#pragma once

#include "observe/event_text.hpp"

namespace ota {

// Writes states and notices as lines, and one line for each tenth of the package unless something
// else shows the progress.
class ConsoleLog final : public EventSink {
  public:
    ConsoleLog(LineOutput& output, bool with_progress)
        : output_(output), with_progress_(with_progress) {}
    void on_event(const Event& event) override;

  private:
    void write_progress(const Event& event);

    LineOutput& output_;
    const bool with_progress_;
    uint64_t next_tenth_ = 0;
};

}  // namespace ota
