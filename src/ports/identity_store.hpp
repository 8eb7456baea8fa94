// Where a device keeps what it proves itself by.
#pragma once

#include "base/bytes.hpp"
#include "base/status.hpp"

namespace ota {

// Values of the C API.
enum class IdentityPlace : uint8_t {
    kCurrent,
    kPending,  // until the cloud has accepted it
};

// The application's; in the context of ota_manager_provision(). What it holds includes a private
// key: encrypted flash, or a secure element's memory.
class IdentityStore {
  public:
    // The bytes of place, and how many; 0: none were saved. kStorage: they can't be read.
    virtual Result<size_t> load(IdentityPlace place, MutableBytes out) = 0;
    // Durable when it returns ok; after a loss of power on the way the place holds these bytes,
    // those before, or what load() or their checksum refuses. Empty: forget them.
    virtual Status save(IdentityPlace place, Bytes bytes) = 0;

  protected:
    ~IdentityStore() = default;
};

}  // namespace ota
