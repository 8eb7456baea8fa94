#pragma once

#include "ports/component_ref.hpp"
#include "ports/verified_set.hpp"

namespace ota {

// The part of the product that the bootloader switches: the application. What else a package brings
// is switched with it (DataComponent) or before it (ModuleBoards).
class Component {
  public:
    virtual SlotId standby() const = 0;
    virtual ImageReader& running_image() = 0;
    virtual ImageReader& standby_image() = 0;
    virtual ImageWriter& writer() = 0;

    // Makes sure that what lies in the standby slot is no image: erases its first sector.
    virtual Status wipe_standby() = 0;

    // The commit point: after it returned ok the next boot runs the standby slot on trial. Power
    // lost inside leaves either choice complete.
    virtual Status activate(const VerifiedSet& verified) = 0;

  protected:
    ~Component() = default;
};

// What a raw image does to its one component, in this order; the reader calls, the session obeys.
class PayloadHost {
  public:
    virtual Status begin_payload(const Payload& payload) = 0;
    virtual Status payload(Bytes bytes) = 0;
    virtual Status end_payload() = 0;

  protected:
    ~PayloadHost() = default;
};

// A payload as a manifest orders it. Views are valid during the call.
struct FetchOrder {
    std::string_view uri;  // "#p00": in the package; else where to fetch it
    Digest digest{};       // of what the component has to hold afterwards
    uint64_t size = 0;     // and its bytes
    Bytes arguments;       // of the profile; empty = as it comes
    Bytes encryption;      // COSE_Encrypt; empty = not encrypted
};

// What a package may do to components. kTryAgain: not done yet, ask the same again. Any other
// failure ends the procedure.
class ComponentHost {
  public:
    virtual bool has(ComponentRef component) = 0;
    // Does it hold exactly size bytes with this digest? By what was read back from where it is
    // stored, after it was written there.
    virtual Result<bool> match(ComponentRef component, const Digest& digest, uint64_t size) = 0;
    virtual Status fetch(ComponentRef component, const FetchOrder& order) = 0;
    virtual Status copy(ComponentRef from, ComponentRef to, const FetchOrder& order) = 0;
    virtual Status write(ComponentRef component, Bytes content, Bytes encryption) = 0;

  protected:
    ~ComponentHost() = default;
};

enum class ConditionKind : uint8_t {
    kVendor,
    kClass,
    kDevice,
    kSlot,
    kUseBefore,
    kMinimumBattery,
    kAuthorized,
    kVersion,
};

struct Condition {
    ConditionKind kind = ConditionKind::kVendor;
    ComponentRef component;
    Bytes bytes;          // an id of 16 bytes, or [operator, [+int]]
    uint64_t number = 0;  // seconds since 1970, mWh, slot, or priority
};

// What a package may ask of the device, and wait for. kTryAgain and failures as above.
class ConditionHost {
  public:
    virtual Result<bool> check(const Condition& condition) = 0;
    // info: {event => argument}, all of which have to hold.
    virtual Status wait(Bytes info) = 0;
    // The update is whole: make the next boot run it.
    virtual Status invoke(ComponentRef component) = 0;

  protected:
    ~ConditionHost() = default;
};

}  // namespace ota
