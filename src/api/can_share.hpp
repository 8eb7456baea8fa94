// One CAN bus for several who speak on it. What the server answers goes at once; the images of
// module boards only as far as the bus has room for them.
#pragma once

#include <optional>

#include "ports/can_bus.hpp"
#include "ports/clock.hpp"

namespace ota {

// How much of the bus a transfer may take, %.
struct BusLimits {
    uint8_t own = 30;
    uint8_t total = 70;  // with the frames of others
};

// Link context.
class CanShare {
  public:
    enum Place : size_t { kServer, kBoards, kNextBoard, kPlaces };

    // What one of them sees of the bus. Frames that it did not ask for pass it by.
    class Face final : public CanBus {
      public:
        explicit Face(CanShare& share, bool is_paced) : share_(share), is_paced_(is_paced) {}

        // Says what is wanted; the bus itself is the share's.
        Status open(const CanConfig& config) override;
        Result<bool> receive(CanFrame& out) override { return share_.receive(*this, out); }
        Status send(const CanFrame& frame) override;
        Sending sending() override {
            (void)share_.follow();
            return sending_;
        }
        void close() override {
            wanted_.clear();
            waiting_.reset();
        }

      private:
        friend class CanShare;
        bool wants(const CanFrame& frame) const;

        CanShare& share_;
        const bool is_paced_;
        FixedVector<uint32_t, 3> wanted_;
        bool is_29_bit_ = true;
        std::optional<CanFrame> waiting_;  // for the driver
        Sending sending_ = Sending::kSent;
    };

    CanShare(CanBus& bus, Clock& clock) : bus_(bus), clock_(clock) {}

    Status open(const CanConfig& config);
    void close() { bus_.close(); }
    void limit(const BusLimits& limits) { limits_ = limits; }
    // Hands the driver the next frame, one at a time. Often. True: one is over.
    bool poll();
    CanBus& face(Place place) { return faces_[place]; }
    // Of the bus, by the frames of others in the last tenth of a second, %.
    uint8_t load() const { return load_; }
    // Has a frame come for one who has not asked yet?
    bool has_frame() const { return held_.has_value(); }

  private:
    Result<bool> receive(Face& face, CanFrame& out);
    bool follow();
    Face* choose();
    void hand_over(Face& face);
    void count(const CanFrame& frame);
    Micros time_of(const CanFrame& frame) const;

    CanBus& bus_;
    Clock& clock_;
    BusLimits limits_;
    uint32_t bitrate_ = 500000;
    std::array<Face, kPlaces> faces_{Face(*this, false), Face(*this, true), Face(*this, true)};
    Face* sender_ = nullptr;        // whose frame the driver has …
    Micros sent_at_ = 0;            // … since then
    std::optional<CanFrame> held_;  // has come for a face that did not ask yet
    Micros paced_until_ = 0;
    Micros window_end_ = 0;
    Micros busy_ = 0;  // of others in this window
    uint8_t load_ = 0;
};

}  // namespace ota
