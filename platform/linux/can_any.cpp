#include "linux/can_any.hpp"

namespace ota {

Status AnyCan::open(const CanConfig& config) {
    const std::string_view name = config.interface;
    constexpr std::string_view kSlcan = "slcan:";
    constexpr std::string_view kUdp = "udp:";
    CanConfig inner = config;
    chosen_ = &kernel_;
    if (name.starts_with(kSlcan)) {
        chosen_ = &slcan_;
        inner.interface += kSlcan.size();
    } else if (name.starts_with(kUdp)) {
        chosen_ = &udp_;
        inner.interface += kUdp.size();
    }
    return chosen_->open(inner);
}

int AnyCan::descriptor() const {
    if (chosen_ == &slcan_) return line_.descriptor();
    return chosen_ == &udp_ ? udp_.descriptor() : kernel_.descriptor();
}

}  // namespace ota
