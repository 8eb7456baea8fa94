#include "observe/log_queue.hpp"

#include <algorithm>
#include <cstring>

namespace ota {

void LogQueue::put(uint32_t& at, const void* bytes, size_t size) {
    const size_t to_end = std::min<size_t>(size, kCapacity - at % kCapacity);
    std::memcpy(&ring_[at % kCapacity], bytes, to_end);
    std::memcpy(ring_.data(), static_cast<const uint8_t*>(bytes) + to_end, size - to_end);
    at += static_cast<uint32_t>(size);
}

void LogQueue::get(uint32_t& at, void* bytes, size_t size) const {
    const size_t to_end = std::min<size_t>(size, kCapacity - at % kCapacity);
    std::memcpy(bytes, &ring_[at % kCapacity], to_end);
    std::memcpy(static_cast<uint8_t*>(bytes) + to_end, ring_.data(), size - to_end);
    at += static_cast<uint32_t>(size);
}

void LogQueue::take(const LogRecord& record) {
    const std::string_view tag = record.tag.substr(0, 16);
    const std::string_view text = record.text.substr(0, kMaxLogMetric);
    uint32_t at = head_.load(std::memory_order_relaxed);
    const uint32_t used = at - tail_.load(std::memory_order_acquire);
    if (sizeof(Head) + tag.size() + text.size() > kCapacity - used) {
        ++lost_;
        return;
    }
    Head head{};
    head.level = record.level;
    head.is_metric = record.is_metric;
    head.tag_size = static_cast<uint8_t>(tag.size());
    head.text_size = static_cast<uint16_t>(text.size());
    head.boot = record.boot;
    head.sequence = record.sequence;
    head.at = record.at;
    head.wall = record.wall;
    head.lost = lost_;
    lost_ = 0;
    put(at, &head, sizeof head);
    put(at, tag.data(), tag.size());
    put(at, text.data(), text.size());
    head_.store(at, std::memory_order_release);
}

bool LogQueue::pop(Held& out) {
    uint32_t at = tail_.load(std::memory_order_relaxed);
    if (at == head_.load(std::memory_order_acquire)) return false;
    Head head{};
    get(at, &head, sizeof head);
    std::array<char, kMaxLogMetric> bytes;
    get(at, bytes.data(), head.tag_size);
    out.tag.assign({bytes.data(), head.tag_size});
    get(at, bytes.data(), head.text_size);
    out.text.assign({bytes.data(), head.text_size});
    tail_.store(at, std::memory_order_release);
    out.lost = head.lost;
    out.record = {head.level, head.is_metric, out.tag.view(), out.text.view(),
                  head.boot,  head.sequence,  head.at,        head.wall};
    return true;
}

}  // namespace ota
