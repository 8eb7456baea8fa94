#pragma once

#include "install/flash_image.hpp"
#include "install/slot_writer.hpp"
#include "ports/component.hpp"

namespace ota {

// The application: two or more slots, of which one runs and one is written.
class AppComponent final : public Component {
  public:
    struct Slots {
        Flash& running;
        Flash& standby;
        SlotId standby_id;
    };
    AppComponent(const Slots& slots, BootControl& boot, ErasePolicy policy, ReadBackSink& sink)
        : slots_(slots), boot_(boot), writer_(slots.standby, policy, sink) {}

    SlotId standby() const override { return slots_.standby_id; }
    ImageReader& running_image() override { return running_; }
    ImageReader& standby_image() override { return standby_; }
    ImageWriter& writer() override { return writer_; }
    Status wipe_standby() override { return slots_.standby.erase(0, layout::kSectorSize); }
    Status activate(const VerifiedSet& verified) override;

  private:
    Slots slots_;
    BootControl& boot_;
    FlashImage running_{slots_.running};
    FlashImage standby_{slots_.standby};
    SlotWriter writer_;
};

}  // namespace ota
