#include "sources/modbus/tcp_link.hpp"

namespace ota {

MbapReader::Found TcpLink::look(size_t place) {
    using Found = MbapReader::Found;
    MbapReader& reader = readers_[place];
    const Found found = reader.next(request_);
    if (found != Found::kNothing) return found;
    const Result<size_t> count = server_.read(place, reader.room());
    if (!count.ok()) reader.clear();
    if (!count.ok() || *count == 0) return Found::kNothing;
    reader.filled(*count);
    return reader.next(request_);
}

Result<size_t> TcpLink::receive(MutableBytes out, ModbusTarget& target) {
    for (size_t turn = 0; turn < readers_.size(); ++turn) {
        const size_t place = next_;
        next_ = (next_ + 1) % readers_.size();
        const MbapReader::Found found = look(place);
        if (found == MbapReader::Found::kBroken) {
            server_.drop(place);
            readers_[place].clear();
        }
        if (found != MbapReader::Found::kRequest) continue;
        latest_ = place;
        target = {request_.unit, false, true};
        std::copy(request_.pdu.begin(), request_.pdu.end(), out.begin());
        return request_.pdu.size();
    }
    return size_t{0};
}

Status TcpLink::answer(Bytes pdu) {
    std::array<uint8_t, kModbusTcpFrame> frame;
    const size_t size = write_mbap({request_.transaction, request_.unit, pdu}, frame);
    return server_.write(latest_, Bytes(frame).first(size));
}

}  // namespace ota
