#include "linux/can_udp.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ota {
namespace {

constexpr Status kNoInterface{Code::kUnavailable, Origin::kPlatform, Detail::kCanInterface};
constexpr uint16_t kPort = 43113;  // python-can, can/interfaces/udp_multicast/bus.py

// MessagePack (its specification): as much of it as these maps have.
class Unpacker {
  public:
    explicit Unpacker(Bytes bytes) : bytes_(bytes) {}

    // How many pairs; 0: no map.
    size_t map() {
        const uint8_t head = u8();
        return (head & 0xF0) == 0x80 ? head & 0x0FU : 0;
    }
    std::string_view text() {
        const uint8_t head = u8();
        if ((head & 0xE0) == 0xA0) return view(head & 0x1FU);
        return head == 0xD9 ? view(u8()) : std::string_view();
    }
    // A number, a boolean as 0 or 1, the size of binary data, which is left in data; the rest is 0.
    uint64_t value(Bytes& data) {
        const uint8_t head = u8();
        if (head < 0x80) return head;
        switch (head) {
            case 0xC3:
                return 1;
            case 0xCC:
                return u8();
            case 0xCD:
                return number(2);
            case 0xCE:
                return number(4);
            case 0xCB:
                (void)number(8);
                return 0;
            case 0xC4:
                data = take(u8());
                return data.size();
            default:
                if ((head & 0xE0) == 0xA0) (void)take(head & 0x1FU);
                return 0;
        }
    }
    bool ok() const { return ok_; }

  private:
    Bytes take(size_t size) {
        if (size > bytes_.size()) {
            ok_ = false;
            bytes_ = {};
            return {};
        }
        const Bytes out = bytes_.first(size);
        bytes_ = bytes_.subspan(size);
        return out;
    }
    uint8_t u8() {
        const Bytes one = take(1);
        return one.empty() ? uint8_t{0xC0} : one[0];
    }
    uint64_t number(size_t size) {
        uint64_t out = 0;
        for (const uint8_t byte : take(size)) out = out << 8 | byte;
        return out;
    }
    std::string_view view(size_t size) {
        const Bytes text = take(size);
        return {reinterpret_cast<const char*>(text.data()), text.size()};
    }
    Bytes bytes_;
    bool ok_ = true;
};

bool unpack(Bytes datagram, CanFrame& out) {
    out = CanFrame();
    Unpacker in(datagram);
    Bytes data;
    bool is_error = false;
    for (size_t pairs = in.map(); pairs != 0; --pairs) {
        const std::string_view key = in.text();
        Bytes binary;
        const uint64_t value = in.value(binary);
        if (key == "arbitration_id") out.id = static_cast<uint32_t>(value);
        if (key == "is_extended_id") out.is_29_bit = value != 0;
        if (key == "is_remote_frame") out.is_remote = value != 0;
        if (key == "is_fd") out.is_fd = value != 0;
        if (key == "is_error_frame") is_error = value != 0;
        if (key == "data") data = binary;
    }
    if (!in.ok() || is_error || data.size() > (out.is_fd ? kFdCanData : kClassicCanData)) {
        return false;
    }
    out.size = static_cast<uint8_t>(data.size());
    std::copy(data.begin(), data.end(), out.data.begin());
    return true;
}

// The eleven pairs, in python-can's order.
class Packer {
  public:
    void key(std::string_view text) {
        u8(static_cast<uint8_t>(0xA0 | text.size()));
        for (const char c : text) u8(static_cast<uint8_t>(c));
    }
    void flag(std::string_view name, bool on) {
        key(name);
        u8(on ? 0xC3 : 0xC2);
    }
    void number(std::string_view name, uint32_t value) {
        key(name);
        u8(0xCE);
        for (int shift = 24; shift >= 0; shift -= 8) u8(static_cast<uint8_t>(value >> shift));
    }
    void u8(uint8_t value) { bytes_[size_++] = value; }
    Bytes bytes() const { return Bytes(bytes_).first(size_); }

  private:
    std::array<uint8_t, 320> bytes_{};
    size_t size_ = 0;
};

Packer pack(const CanFrame& frame) {
    Packer out;
    out.u8(0x8B);
    out.key("timestamp");
    out.u8(0xCB);
    for (int i = 0; i < 8; ++i) out.u8(0);
    out.number("arbitration_id", frame.id);
    out.flag("is_extended_id", frame.is_29_bit);
    out.flag("is_remote_frame", frame.is_remote);
    out.flag("is_error_frame", false);
    out.key("channel");
    out.u8(0xC0);
    out.number("dlc", frame.size);
    out.key("data");
    out.u8(0xC4);
    out.u8(frame.size);
    for (const uint8_t byte : frame.bytes()) out.u8(byte);
    out.flag("is_fd", frame.is_fd);
    out.flag("bitrate_switch", frame.is_fd);
    out.flag("error_state_indicator", false);
    return out;
}

template <typename T>
bool set_option(int socket, int level, int option, const T& value) {
    return setsockopt(socket, level, option, &value, sizeof value) == 0;
}

sockaddr_in address(uint32_t host, uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_addr.s_addr = host;
    out.sin_port = htons(port);
    return out;
}

}  // namespace

Status UdpCan::open(const CanConfig& config) {
    close();
    in_addr group{};
    if (inet_pton(AF_INET, config.interface, &group) != 1) return kNoInterface;
    group_ = group.s_addr;
    socket_ = socket(AF_INET, SOCK_DGRAM, 0);
    sender_ = socket(AF_INET, SOCK_DGRAM, 0);
    const int on = 1;
    const uint8_t this_host = 0;
    const int queue = 1 << 20;
    const ip_mreq membership{group, {htonl(INADDR_ANY)}};
    const sockaddr_in own = address(group_, kPort);
    const sockaddr_in any = address(htonl(INADDR_ANY), 0);
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    const bool usable = socket_ >= 0 && sender_ >= 0 &&
                        set_option(socket_, SOL_SOCKET, SO_REUSEADDR, on) &&
                        set_option(socket_, SOL_SOCKET, SO_RCVBUF, queue) &&
                        bind(socket_, reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0 &&
                        set_option(socket_, IPPROTO_IP, IP_ADD_MEMBERSHIP, membership) &&
                        set_option(sender_, IPPROTO_IP, IP_MULTICAST_TTL, this_host) &&
                        bind(sender_, reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0 &&
                        getsockname(sender_, reinterpret_cast<sockaddr*>(&bound), &size) == 0 &&
                        fcntl(socket_, F_SETFL, fcntl(socket_, F_GETFL, 0) | O_NONBLOCK) == 0;
    own_port_ = bound.sin_port;
    if (usable) return {};
    close();
    return kNoInterface;
}

Result<bool> UdpCan::receive(CanFrame& out) {
    std::array<uint8_t, 512> datagram;
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const ssize_t count = recvfrom(socket_, datagram.data(), datagram.size(), 0,
                                   reinterpret_cast<sockaddr*>(&from), &size);
    if (count <= 0 || from.sin_port == own_port_) return false;
    return unpack(Bytes(datagram).first(static_cast<size_t>(count)), out);
}

Status UdpCan::send(const CanFrame& frame) {
    const Packer packed = pack(frame);
    const Bytes bytes = packed.bytes();
    const sockaddr_in to = address(group_, kPort);
    const ssize_t sent = sendto(sender_, bytes.data(), bytes.size(), 0,
                                reinterpret_cast<const sockaddr*>(&to), sizeof to);
    return sent == static_cast<ssize_t>(bytes.size()) ? kOkStatus : kNoInterface;
}

void UdpCan::close() {
    for (int* const socket : {&socket_, &sender_}) {
        if (*socket >= 0) (void)::close(*socket);
        *socket = -1;
    }
}

}  // namespace ota
