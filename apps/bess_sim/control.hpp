#pragma once

#include "linux/battery_model.hpp"

// The twin's service connector: a UNIX datagram socket that takes one command a message and answers
// with one line.
//   battery soc=12 t_max=50 …   check   start   apply   abort   confirm   rollback   status
//   configuration   components (of the latest attempt)
//   off   hang (stops the heartbeat)   crash
class Control {
  public:
    explicit Control(ota::BatteryModel& battery) : battery_(battery) {}
    ~Control();
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;

    bool open(const char* path);
    // Serves what has arrived within timeout_ms. False: switched off.
    bool serve(int timeout_ms);

  private:
    bool answer(const char* command, char* reply, unsigned size);

    ota::BatteryModel& battery_;
    int fd_ = -1;
};
