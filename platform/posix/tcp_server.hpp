// Peers on TCP by BSD sockets (POSIX, and lwIP's on ESP-IDF).
#pragma once

#include <array>

#include "ports/clock.hpp"
#include "ports/stream_server.hpp"

namespace ota {

class TcpServer final : public StreamServer {
  public:
    // address: where it listens, an IPv4 address in numbers.
    TcpServer(Clock& clock, const char* address) : clock_(clock), address_(address) {}
    ~TcpServer() { close(); }
    TcpServer(const TcpServer&) = delete;
    TcpServer& operator=(const TcpServer&) = delete;

    Status listen(uint16_t port) override;
    // The port it listens on: with listen(0) any that is free.
    uint16_t port() const;

    Result<size_t> read(size_t place, MutableBytes out) override;
    Status write(size_t place, Bytes bytes) override;
    void drop(size_t place) override;
    void close() override;

    // What to wait on until something comes; negative: nothing. The listener is the first.
    std::array<int, kPlaces + 1> descriptors() const;

  private:
    struct Place {
        int socket = -1;
        bool is_new = false;
        Millis used_at = 0;
    };
    void accept_peer();
    size_t choose_place() const;

    Clock& clock_;
    const char* address_;
    int listener_ = -1;
    std::array<Place, kPlaces> places_;
};

}  // namespace ota
