#pragma once

#include "observe/event_text.hpp"

namespace ota {

// Writes states and notices as lines; progress as one line each tenth of the package.
class ConsoleLog final : public EventSink {
  public:
    explicit ConsoleLog(LineOutput& output) : output_(output) {}
    void on_event(const Event& event) override;

  private:
    void write_progress(const Event& event);

    LineOutput& output_;
    uint64_t next_tenth_ = 0;
};

}  // namespace ota
