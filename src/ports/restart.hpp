#pragma once

namespace ota {

// Software reset. On a device it does not return; in tests it does, and the caller stops working.
class Restart {
  public:
    virtual void restart() = 0;

  protected:
    ~Restart() = default;
};

}  // namespace ota
