#include "linux/can_socketcan.hpp"

#include <fcntl.h>
#include <linux/can.h>
#include <linux/can/error.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace ota {
namespace {

constexpr Status kNoInterface{Code::kUnavailable, Origin::kPlatform, Detail::kCanInterface};

constexpr size_t kMostFilters = 3;

canid_t to_kernel(uint32_t id, bool is_29_bit) {
    return is_29_bit ? id | CAN_EFF_FLAG : id;
}

bool set_up(int socket, const CanConfig& config) {
    const int on = 1;
    const can_err_mask_t errors = CAN_ERR_BUSOFF | CAN_ERR_TX_TIMEOUT;
    std::array<can_filter, kMostFilters> filters{};
    const size_t count = std::min(config.identifiers.size(), filters.size());
    const canid_t mask =
        CAN_EFF_FLAG | CAN_RTR_FLAG | (config.is_29_bit ? CAN_EFF_MASK : CAN_SFF_MASK);
    for (size_t i = 0; i < count; ++i) {
        filters[i] = {to_kernel(config.identifiers[i], config.is_29_bit), mask};
    }
    // Own frames come back when they were on the bus.
    return (count == 0 || setsockopt(socket, SOL_CAN_RAW, CAN_RAW_FILTER, filters.data(),
                                     static_cast<socklen_t>(count * sizeof(can_filter))) == 0) &&
           setsockopt(socket, SOL_CAN_RAW, CAN_RAW_RECV_OWN_MSGS, &on, sizeof on) == 0 &&
           setsockopt(socket, SOL_CAN_RAW, CAN_RAW_ERR_FILTER, &errors, sizeof errors) == 0 &&
           (!config.is_fd ||
            setsockopt(socket, SOL_CAN_RAW, CAN_RAW_FD_FRAMES, &on, sizeof on) == 0) &&
           fcntl(socket, F_SETFL, fcntl(socket, F_GETFL, 0) | O_NONBLOCK) == 0;
}

}  // namespace

Status SocketCan::open(const CanConfig& config) {
    close();
    socket_ = socket(PF_CAN, SOCK_RAW, CAN_RAW);
    if (socket_ < 0) return kNoInterface;
    sockaddr_can own{};
    own.can_family = AF_CAN;
    own.can_ifindex = static_cast<int>(if_nametoindex(config.interface));
    const bool usable = own.can_ifindex != 0 && set_up(socket_, config) &&
                        bind(socket_, reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0;
    if (usable) return {};
    close();
    return kNoInterface;
}

Result<bool> SocketCan::receive(CanFrame& out) {
    canfd_frame frame{};
    iovec part{&frame, sizeof frame};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    const ssize_t size = recvmsg(socket_, &message, MSG_DONTWAIT);
    if (size != CAN_MTU && size != CANFD_MTU) {
        return size < 0 && errno != EAGAIN && errno != EINTR && errno != ENETDOWN
                   ? Result<bool>(kNoInterface)
                   : false;
    }
    if ((frame.can_id & CAN_ERR_FLAG) != 0) {
        if (sending_ == Sending::kUnderWay) sending_ = Sending::kFailed;
        return false;
    }
    if ((static_cast<unsigned>(message.msg_flags) & MSG_CONFIRM) != 0) {
        sending_ = Sending::kSent;  // our own
        return false;
    }
    out = CanFrame();
    out.is_29_bit = (frame.can_id & CAN_EFF_FLAG) != 0;
    out.is_remote = (frame.can_id & CAN_RTR_FLAG) != 0;
    out.is_fd = size == CANFD_MTU;
    out.id = frame.can_id & (out.is_29_bit ? CAN_EFF_MASK : CAN_SFF_MASK);
    out.size = std::min<uint8_t>(frame.len, out.is_fd ? kFdCanData : kClassicCanData);
    std::copy_n(frame.data, out.size, out.data.begin());
    return true;
}

Status SocketCan::send(const CanFrame& out) {
    canfd_frame frame{};
    frame.can_id = to_kernel(out.id, out.is_29_bit) | (out.is_remote ? CAN_RTR_FLAG : 0);
    frame.len = out.size;
    if (out.is_fd) frame.flags = CANFD_BRS;
    std::copy_n(out.data.begin(), out.size, frame.data);
    const size_t size = out.is_fd ? CANFD_MTU : CAN_MTU;
    if (write(socket_, &frame, size) != static_cast<ssize_t>(size)) {
        return {Code::kUnavailable, Origin::kPlatform};
    }
    sending_ = Sending::kUnderWay;
    return {};
}

void SocketCan::close() {
    if (socket_ >= 0) (void)::close(socket_);
    socket_ = -1;
    sending_ = Sending::kSent;
}

}  // namespace ota
