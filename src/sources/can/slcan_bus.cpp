#include "sources/can/slcan_bus.hpp"

namespace ota {
namespace {

constexpr Status kNoInterface{Code::kUnavailable, Origin::kPlatform, Detail::kCanInterface};
constexpr uint32_t kLineRate = 1000000;  // of a USB adapter any will do

}  // namespace

// Closes what somebody left open, sets the rate, opens.
Status SlcanBus::open(const CanConfig& config) {
    close();
    const std::string_view rate = slcan_rate(config.bitrate);
    if (rate.empty()) return {Code::kOutOfRange, Origin::kPlatform, Detail::kCanInterface};
    if (!port_.open({config.interface, kLineRate, SerialFormat::k8N1}).ok()) return kNoInterface;
    is_open_ = true;
    for (const std::string_view command : {std::string_view("C"), rate, std::string_view("O")}) {
        const Status sent = put(command);
        if (sent.ok()) continue;
        close();
        return sent;
    }
    return {};
}

Status SlcanBus::put(std::string_view line) {
    FixedString<sizeof(SlcanLine)> text(line);
    text.append("\r");
    const Result<size_t> sent = port_.write(as_bytes(text.view()));
    const bool whole = sent.ok() && *sent == text.view().size();
    return whole ? kOkStatus : kNoInterface;
}

Result<bool> SlcanBus::receive(CanFrame& out) {
    if (at_ == end_) {
        at_ = end_ = 0;  // old frames are not read again where the line fails
        OTA_TRY_ASSIGN(end_, port_.read(bytes_));
    }
    while (at_ < end_) {
        const char c = static_cast<char>(bytes_[at_++]);
        if (c != '\r' && c != '\a') {
            is_too_long_ = is_too_long_ || !line_.try_append({&c, 1});
            continue;
        }
        const bool is_frame = !is_too_long_ && c == '\r' && parse_slcan(line_.view(), out);
        line_.clear();
        is_too_long_ = false;
        if (is_frame) return true;
    }
    return false;
}

Status SlcanBus::send(const CanFrame& frame) {
    return put(write_slcan(frame).view());
}

void SlcanBus::close() {
    if (is_open_) (void)put("C");
    if (is_open_) port_.close();
    is_open_ = false;
    line_.clear();
    is_too_long_ = false;
    at_ = end_ = 0;
}

}  // namespace ota
