#include "sources/push_window.hpp"

namespace ota {

// ---------------------------------------------------------------- link context

bool PushWindow::open(const PushOffer& offer) {
    if (is_open()) return false;
    offer_ = offer;
    head_.store(0, std::memory_order_relaxed);
    phase_.store(Phase::kOffered, std::memory_order_release);
    return true;
}

void PushWindow::follow() {
    const uint32_t asked = asked_.load(std::memory_order_acquire);
    if (asked == done_.load(std::memory_order_relaxed)) return;
    head_.store(wanted_.load(std::memory_order_relaxed), std::memory_order_relaxed);
    done_.store(asked, std::memory_order_release);
}

uint32_t PushWindow::next_offset() {
    if (is_taken()) follow();
    return head_.load(std::memory_order_relaxed);
}

PushWindow::Taken PushWindow::write(uint32_t offset, Bytes bytes) {
    if (!is_open()) return Taken::kClosed;
    if (!is_taken()) return Taken::kFull;
    const uint32_t head = next_offset();
    if (offset > offer_.size || bytes.size() > offer_.size - offset) return Taken::kBeyond;
    if (offset > head) return Taken::kGap;
    const uint32_t known = head - offset;
    if (bytes.size() <= known) return Taken::kDuplicate;
    bytes = bytes.subspan(known);
    // The engine may move meanwhile: then the difference is no length, and the bytes are not taken.
    const uint32_t used = head - base_.load(std::memory_order_acquire);
    if (used > kCapacity || bytes.size() > kCapacity - used) return Taken::kFull;
    for (size_t i = 0; i < bytes.size(); ++i) ring_[(head + i) % kCapacity] = bytes[i];
    head_.store(head + static_cast<uint32_t>(bytes.size()), std::memory_order_release);
    return Taken::kWhole;
}

// ---------------------------------------------------------------- engine context

bool PushWindow::take(PushOffer& out) {
    if (phase_.load(std::memory_order_acquire) != Phase::kOffered) return false;
    position_.store(0, std::memory_order_relaxed);
    base_.store(0, std::memory_order_relaxed);
    wanted_.store(0, std::memory_order_relaxed);
    asked_.fetch_add(1, std::memory_order_release);
    Phase offered = Phase::kOffered;
    if (!phase_.compare_exchange_strong(offered, Phase::kTaken)) return false;  // taken back
    out = offer_;
    return true;
}

void PushWindow::seek(uint32_t offset) {
    const uint32_t base = base_.load(std::memory_order_relaxed);
    const bool is_here =
        is_followed() && offset >= base && offset <= head_.load(std::memory_order_acquire);
    position_.store(offset, std::memory_order_release);
    base_.store(offset, std::memory_order_release);
    if (is_here) return;
    wanted_.store(offset, std::memory_order_relaxed);
    asked_.fetch_add(1, std::memory_order_release);
}

size_t PushWindow::read(MutableBytes out, bool keep) {
    if (!is_followed()) return 0;
    const uint32_t head = head_.load(std::memory_order_acquire);
    const uint32_t from = position();
    const size_t n = std::min<size_t>(out.size(), head - from);
    for (size_t i = 0; i < n; ++i) out[i] = ring_[(from + i) % kCapacity];
    const uint32_t to = from + static_cast<uint32_t>(n);
    position_.store(to, std::memory_order_release);
    if (!keep) base_.store(to, std::memory_order_release);
    return n;
}

}  // namespace ota
