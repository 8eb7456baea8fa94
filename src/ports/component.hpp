#pragma once

#include "ports/verified_set.hpp"

namespace ota {

// A part of the product that updates replace: here the application, later configuration banks and
// module boards.
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

// What a package may do to components, in this order; the package reader calls, the session obeys.
class ComponentHost {
  public:
    virtual Status begin_payload(const Payload& payload) = 0;
    virtual Status payload(Bytes bytes) = 0;
    virtual Status end_payload() = 0;

  protected:
    ~ComponentHost() = default;
};

}  // namespace ota
