#include "api/can_share.hpp"

namespace ota {
namespace {

constexpr Micros kWindow = 100000;
// What pacing may catch up with when its task slept too long.
constexpr Micros kCatchUp = 5000;
constexpr uint8_t kLeastRoom = 5;  // %; below it the bus is left to others
// N_As (ISO 15765-2): a frame that is not on the bus by then never will be.
constexpr Micros kLongestSending = 1000000;

// ISO 11898-1: bits of a frame beside its data, interframe space included, and one stuff bit in 34.
constexpr uint32_t kFixedBits11 = 47;
constexpr uint32_t kFixedBits29 = 67;
constexpr uint32_t kStuffed11 = 34;
constexpr uint32_t kStuffed29 = 54;
// Of a frame of CAN FD the data are about four times as fast, or more.
constexpr uint32_t kFdFactor = 4;

// Arbitration compares eleven bits first; of two that are equal, the short identifier wins.
uint64_t priority_key(const CanFrame& frame) {
    return frame.is_29_bit ? uint64_t{frame.id >> 18} << 32 | 1ULL << 31 | (frame.id & 0x3FFFF)
                           : uint64_t{frame.id} << 32;
}

}  // namespace

// ---------------------------------------------------------------- what one sees

Status CanShare::Face::open(const CanConfig& config) {
    wanted_.clear();
    for (const uint32_t id : config.identifiers) (void)wanted_.push_back(id);
    is_29_bit_ = config.is_29_bit;
    waiting_.reset();
    return {};
}

bool CanShare::Face::wants(const CanFrame& frame) const {
    return frame.is_29_bit == is_29_bit_ &&
           std::find(wanted_.begin(), wanted_.end(), frame.id) != wanted_.end();
}

Status CanShare::Face::send(const CanFrame& frame) {
    if (waiting_ || share_.sender_ == this) return {Code::kBusy, Origin::kApi};
    waiting_ = frame;
    sending_ = Sending::kUnderWay;
    (void)share_.poll();
    return {};
}

// ---------------------------------------------------------------- the bus

Status CanShare::open(const CanConfig& config) {
    bitrate_ = config.bitrate;
    return bus_.open(config);
}

// A frame for another one waits until that one asks.
Result<bool> CanShare::receive(Face& face, CanFrame& out) {
    while (true) {
        if (held_) {
            const CanFrame frame = *held_;
            const bool is_wanted = std::any_of(faces_.begin(), faces_.end(),
                                               [&](const Face& f) { return f.wants(frame); });
            const bool is_own = face.wants(frame);
            if (is_wanted && !is_own) return false;
            held_.reset();
            if (!is_own) continue;
            out = frame;
            return true;
        }
        CanFrame frame;
        OTA_TRY_ASSIGN(const bool came, bus_.receive(frame));
        if (!came) return false;
        count(frame);
        held_ = frame;
    }
}

bool CanShare::poll() {
    const bool is_over = follow();
    if (sender_ != nullptr) return is_over;
    Face* const next = choose();
    if (next != nullptr) hand_over(*next);
    return follow() || is_over;  // a driver that tells no more than that it took it
}

// What became of the frame that the driver has. True: it is over.
bool CanShare::follow() {
    const Micros now = clock_.micros();
    if (now >= window_end_) {
        load_ = static_cast<uint8_t>(std::min<Micros>(busy_ * 100 / kWindow, 100));
        busy_ = 0;
        window_end_ = now + kWindow;
    }
    if (sender_ == nullptr) return false;
    CanBus::Sending sending = bus_.sending();
    if (sending == CanBus::Sending::kUnderWay) {
        if (now - sent_at_ < kLongestSending) return false;
        sending = CanBus::Sending::kFailed;  // the driver has lost it: the next may go
    }
    sender_->sending_ = sending;
    sender_ = nullptr;
    return true;
}

// As arbitration would, so that none of them holds up what is more urgent.
CanShare::Face* CanShare::choose() {
    const bool may_pace = clock_.micros() >= paced_until_;
    Face* best = nullptr;
    for (Face& face : faces_) {
        if (!face.waiting_ || (face.is_paced_ && !may_pace)) continue;
        if (best == nullptr || priority_key(*face.waiting_) < priority_key(*best->waiting_)) {
            best = &face;
        }
    }
    return best;
}

void CanShare::hand_over(Face& face) {
    const CanFrame frame = *face.waiting_;
    face.waiting_.reset();
    if (!bus_.send(frame).ok()) {
        face.sending_ = CanBus::Sending::kFailed;
        return;
    }
    const Micros now = clock_.micros();
    sender_ = &face;
    sent_at_ = now;
    if (!face.is_paced_) return;
    const uint8_t room = limits_.total > load_ ? static_cast<uint8_t>(limits_.total - load_) : 0;
    const uint8_t share = std::min(limits_.own, room);
    const Micros from = std::max(paced_until_, now > kCatchUp ? now - kCatchUp : 0);
    paced_until_ = room < kLeastRoom ? now + kWindow : from + time_of(frame) * 100 / share;
}

void CanShare::count(const CanFrame& frame) {
    busy_ += time_of(frame);
}

Micros CanShare::time_of(const CanFrame& frame) const {
    const uint32_t data = uint32_t{8} * frame.size / (frame.is_fd ? kFdFactor : 1);
    const uint32_t fixed = frame.is_29_bit ? kFixedBits29 : kFixedBits11;
    const uint32_t stuffed = (frame.is_29_bit ? kStuffed29 : kStuffed11) + data;
    return Micros{fixed + data + stuffed / 34} * 1000000 / bitrate_;
}

}  // namespace ota
