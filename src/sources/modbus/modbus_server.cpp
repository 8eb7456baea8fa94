// Who is answered, and which function does what. What the registers say is in modbus_reading.cpp,
// what is written to them in modbus_writing.cpp.
#include "sources/modbus/modbus_server.hpp"

namespace ota {

namespace {

using namespace modbus;

constexpr uint8_t kConformity = 0x82;  // regular objects, in a stream or single (6.21)

}  // namespace

ModbusServer::ModbusServer(const ModbusIdentity& identity, PushDesk& desk, AccessDoor& door,
                           Mailbox& mailbox, Clock& clock)
    : identity_(identity), desk_(desk), door_(door), mailbox_(mailbox), clock_(clock) {}

size_t ModbusServer::poll(ModbusLink& link, size_t most) {
    std::array<uint8_t, kModbusRequest> request;
    std::array<uint8_t, kModbusPdu> reply;
    for (size_t served = 0; served < most; ++served) {
        ModbusTarget target;
        const Result<size_t> size = link.receive(request, target);
        if (!size.ok() || *size == 0) return served;
        const size_t written = answer(Bytes(request).first(*size), target, reply);
        if (written != 0) (void)link.answer(Bytes(reply).first(written));
    }
    return most;
}

bool ModbusServer::is_for_us(const ModbusTarget& target) const {
    if (target.unit == identity_.unit) return true;
    // On TCP, 0 and 255 mean the device that was called (Messaging on TCP/IP V1.0b, 4.4.2).
    return target.is_direct && (target.unit == 0 || target.unit == 255);
}

size_t ModbusServer::answer(Bytes request, const ModbusTarget& target, MutableBytes out) {
    if (target.is_broadcast || request.empty()) return 0;
    if (!is_for_us(target) && !target.is_direct) return 0;
    ModbusAnswer reply(out);
    reply.u8(request[0]);
    ModbusRequest parsed;
    Exception error = Exception::kNoTarget;
    if (is_for_us(target)) {
        error = parse_modbus_request(request, parsed);
        if (error == Exception::kNone) error = serve(parsed, reply);
    }
    if (error == Exception::kNone) return reply.size();
    out[0] = static_cast<uint8_t>(request[0] | kModbusError);
    out[1] = static_cast<uint8_t>(error);
    return 2;
}

ModbusException ModbusServer::serve(const ModbusRequest& request, ModbusAnswer& out) {
    door_.settle(clock_.now());
    follow_session();
    const auto own = [&](uint16_t address) {
        return static_cast<uint16_t>(address - identity_.base);  // wraps: below the base is beyond
    };
    switch (request.function) {
        case ModbusFunction::kReadHolding:
        case ModbusFunction::kReadInput:
            out.u8(static_cast<uint8_t>(request.count * 2));
            return read(own(request.address), request.count, out);
        case ModbusFunction::kWriteOne:
            out.u16(request.write_address);
            out.copy(request.values);
            return write(own(request.write_address), request.values);
        case ModbusFunction::kWriteMany:
            out.u16(request.write_address);
            out.u16(static_cast<uint16_t>(request.values.size() / 2));
            return write(own(request.write_address), request.values);
        case ModbusFunction::kReadWrite: {
            if (!is_readable(own(request.address), request.count)) return Exception::kAddress;
            const Exception error = write(own(request.write_address), request.values);
            if (error != Exception::kNone) return error;
            out.u8(static_cast<uint8_t>(request.count * 2));
            return read(own(request.address), request.count, out);
        }
        case ModbusFunction::kReadFile:
            if (request.file != kRegisterFile) return Exception::kAddress;
            out.u8(static_cast<uint8_t>(request.count * 2 + 2));
            out.u8(static_cast<uint8_t>(request.count * 2 + 1));
            out.u8(kFileReference);
            return read(request.address, request.count, out);
        case ModbusFunction::kWriteFile:
            return write_file(request, out);
        case ModbusFunction::kIdentify:
            return identify(request, out);
    }
    return Exception::kFunction;
}

// The answer repeats the request.
ModbusException ModbusServer::write_file(const ModbusRequest& request, ModbusAnswer& out) {
    if (request.file == kRegisterFile) return Exception::kAddress;
    const uint64_t offset =
        (request.file - uint64_t{1}) * kFileSize + uint64_t{2} * request.write_address;
    if (offset > UINT32_MAX) return refuse(WindowResult::kRange, Exception::kValue);
    const Exception error = take_bytes(static_cast<uint32_t>(offset), request.values);
    if (error != Exception::kNone) return error;
    out.u8(static_cast<uint8_t>(request.values.size() + 7));
    out.u8(kFileReference);
    out.u16(request.file);
    out.u16(request.write_address);
    out.u16(static_cast<uint16_t>(request.values.size() / 2));
    out.copy(request.values);
    return Exception::kNone;
}

// 6.21: basic objects 0 to 2, regular ones to 6.
ModbusException ModbusServer::identify(const ModbusRequest& request, ModbusAnswer& out) {
    const char* const version = desk_.look().running_version;
    const std::array<std::string_view, 7> objects = {
        "bess-ota",        identity_.hardware, version,      "",
        "BESS controller", identity_.hardware, "OTA manager"};
    constexpr uint8_t kSingle = 4;
    const bool single = request.identify_code == kSingle;
    const uint8_t end = request.identify_code == 1 ? 3 : 7;
    if (single && request.object >= objects.size()) return Exception::kAddress;
    const uint8_t first = single || request.object < end ? request.object : uint8_t{0};
    const uint8_t last = single ? static_cast<uint8_t>(first + 1) : end;
    for (const uint8_t byte : {uint8_t{14}, request.identify_code, kConformity, uint8_t{0},
                               uint8_t{0}, static_cast<uint8_t>(last - first)}) {
        out.u8(byte);
    }
    for (uint8_t i = first; i < last; ++i) {
        out.u8(i);
        out.u8(static_cast<uint8_t>(objects[i].size()));
        out.copy(as_bytes(objects[i]));
    }
    return Exception::kNone;
}

ModbusException ModbusServer::refuse(WindowResult why, Exception exception) {
    last_result_ = why;
    ++errors_;
    return exception;
}

}  // namespace ota
