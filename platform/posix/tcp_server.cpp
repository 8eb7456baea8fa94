#include "posix/tcp_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace ota {
namespace {

constexpr Status kNoPort{Code::kUnavailable, Origin::kPlatform, Detail::kPortInUse};
constexpr Status kNobody{Code::kUnavailable, Origin::kPlatform};

bool make_non_blocking(int socket) {
    const int flags = fcntl(socket, F_GETFL, 0);
    return flags >= 0 && fcntl(socket, F_SETFL, flags | O_NONBLOCK) == 0;
}

void set_option(int socket, int level, int option) {
    const int on = 1;
    (void)setsockopt(socket, level, option, &on, sizeof on);
}

bool may_come_later() {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

Status TcpServer::listen(uint16_t port) {
    close();
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_port = htons(port);
    if (inet_pton(AF_INET, address_, &own.sin_addr) != 1) return kNoPort;
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    if (listener_ < 0) return kNoPort;
    set_option(listener_, SOL_SOCKET, SO_REUSEADDR);
    const bool listens =
        bind(listener_, reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0 &&
        make_non_blocking(listener_) && ::listen(listener_, kPlaces) == 0;
    if (listens) return {};
    close();
    return kNoPort;
}

uint16_t TcpServer::port() const {
    sockaddr_in own{};
    socklen_t size = sizeof own;
    if (getsockname(listener_, reinterpret_cast<sockaddr*>(&own), &size) != 0) return 0;
    return ntohs(own.sin_port);
}

size_t TcpServer::choose_place() const {
    size_t best = 0;
    for (size_t i = 0; i < places_.size(); ++i) {
        if (places_[i].socket < 0) return i;
        if (places_[i].used_at < places_[best].used_at) best = i;
    }
    return best;
}

void TcpServer::accept_peer() {
    const int peer = accept(listener_, nullptr, nullptr);
    if (peer < 0) return;
    if (!make_non_blocking(peer)) {
        (void)::close(peer);
        return;
    }
    set_option(peer, IPPROTO_TCP, TCP_NODELAY);
    const size_t place = choose_place();
    drop(place);
    places_[place] = {peer, true, clock_.now()};
}

Result<size_t> TcpServer::read(size_t place, MutableBytes out) {
    accept_peer();
    Place& from = places_[place];
    if (from.socket < 0) return kNobody;
    if (from.is_new) {
        from.is_new = false;
        return kNobody;
    }
    const ssize_t count = recv(from.socket, out.data(), out.size(), 0);
    if (count > 0) {
        from.used_at = clock_.now();
        return static_cast<size_t>(count);
    }
    if (count < 0 && may_come_later()) return size_t{0};
    drop(place);
    return kNobody;
}

Status TcpServer::write(size_t place, Bytes bytes) {
    const int peer = places_[place].socket;
    // Who has just taken the place did not ask.
    if (peer < 0 || places_[place].is_new) return kNobody;
    const ssize_t sent = send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(bytes.size())) return {};
    drop(place);
    return kNobody;
}

void TcpServer::drop(size_t place) {
    if (places_[place].socket >= 0) (void)::close(places_[place].socket);
    places_[place] = {};
}

void TcpServer::close() {
    for (size_t place = 0; place < places_.size(); ++place) drop(place);
    if (listener_ >= 0) (void)::close(listener_);
    listener_ = -1;
}

std::array<int, TcpServer::kPlaces + 1> TcpServer::descriptors() const {
    std::array<int, kPlaces + 1> out{};
    out[0] = listener_;
    std::transform(places_.begin(), places_.end(), out.begin() + 1,
                   [](const Place& place) { return place.socket; });
    return out;
}

}  // namespace ota
