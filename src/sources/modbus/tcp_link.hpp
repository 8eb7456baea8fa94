// Modbus requests on TCP (MODBUS Messaging on TCP/IP V1.0b), of several masters in turn.
#pragma once

#include "ports/modbus_link.hpp"
#include "ports/stream_server.hpp"
#include "wire/modbus_frame.hpp"

namespace ota {

class TcpLink final : public ModbusLink {
  public:
    explicit TcpLink(StreamServer& server) : server_(server) {}

    Result<size_t> receive(MutableBytes out, ModbusTarget& target) override;
    Status answer(Bytes pdu) override;
    void close() override { server_.close(); }

  private:
    MbapReader::Found look(size_t place);

    StreamServer& server_;
    std::array<MbapReader, StreamServer::kPlaces> readers_;
    size_t next_ = 0;    // takes turns
    size_t latest_ = 0;  // whose request was given
    MbapReader::Frame request_;
};

}  // namespace ota
