// A TCP server for a few peers.
#pragma once

#include "base/bytes.hpp"
#include "base/status.hpp"

namespace ota {

// Link context. No call blocks. Peers sit in places; one more than there are takes the place of
// the one that was silent longest.
class StreamServer {
  public:
    static constexpr size_t kPlaces = 4;

    // kUnavailable, kPortInUse: the port can't be had.
    virtual Status listen(uint16_t port) = 0;
    // Bytes of the peer in that place; 0: none now. kUnavailable: nobody is there, or somebody
    // else since the last call: what came before is void.
    virtual Result<size_t> read(size_t place, MutableBytes out) = 0;
    // All of bytes, or the peer is dropped: nothing waits for one that does not read.
    virtual Status write(size_t place, Bytes bytes) = 0;
    virtual void drop(size_t place) = 0;
    virtual void close() = 0;

  protected:
    ~StreamServer() = default;
};

}  // namespace ota
