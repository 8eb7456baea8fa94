#include "wire/modbus_pdu.hpp"

namespace ota {
namespace {

constexpr uint16_t kLastRecord = 9999;
constexpr uint8_t kMeiIdentify = 14;  // 6.21
constexpr size_t kReadFileGroup = 7;

using Exception = ModbusException;

bool in_range(uint16_t address, uint16_t count) {
    return uint32_t{address} + count <= 0x10000;
}

Exception parse_read(Bytes data, ModbusRequest& out) {
    if (data.size() != 4) return Exception::kValue;
    out.address = load_be16(&data[0]);
    out.count = load_be16(&data[2]);
    if (out.count == 0 || out.count > kMostRead) return Exception::kValue;
    return in_range(out.address, out.count) ? Exception::kNone : Exception::kAddress;
}

// count, byte count, values: the end of three kinds of requests.
Exception parse_values(Bytes data, uint16_t most, ModbusRequest& out) {
    if (data.size() < 3) return Exception::kValue;
    const uint16_t count = load_be16(&data[0]);
    if (count == 0 || count > most || data[2] != count * 2) return Exception::kValue;
    out.values = data.subspan(3);
    if (out.values.size() != size_t{count} * 2) return Exception::kValue;
    return in_range(out.write_address, count) ? Exception::kNone : Exception::kAddress;
}

Exception parse_write_one(Bytes data, ModbusRequest& out) {
    if (data.size() != 4) return Exception::kValue;
    out.write_address = load_be16(&data[0]);
    out.values = data.subspan(2);
    return Exception::kNone;
}

Exception parse_write_many(Bytes data, ModbusRequest& out) {
    if (data.size() < 2) return Exception::kValue;
    out.write_address = load_be16(&data[0]);
    return parse_values(data.subspan(2), kMostWritten, out);
}

Exception parse_read_write(Bytes data, ModbusRequest& out) {
    if (data.size() < 6) return Exception::kValue;
    if (const Exception error = parse_read(data.first(4), out); error != Exception::kNone) {
        return error;
    }
    out.write_address = load_be16(&data[4]);
    return parse_values(data.subspan(6), kMostExchanged, out);
}

// reference, file, record, length: the start of a group.
Exception parse_group(Bytes data, ModbusRequest& out, uint16_t& record, uint16_t& count) {
    if (data.size() < 8 || data[0] != data.size() - 1) return Exception::kValue;
    out.file = load_be16(&data[2]);
    record = load_be16(&data[4]);
    count = load_be16(&data[6]);
    if (data[1] != kFileReference || out.file == 0 || record > kLastRecord) {
        return Exception::kAddress;
    }
    return count != 0 && count <= kMostInFile ? Exception::kNone : Exception::kValue;
}

Exception parse_read_file(Bytes data, ModbusRequest& out) {
    if (data.size() != 1 + kReadFileGroup) return Exception::kValue;
    return parse_group(data, out, out.address, out.count);
}

Exception parse_write_file(Bytes data, ModbusRequest& out) {
    uint16_t count = 0;
    const Exception error = parse_group(data, out, out.write_address, count);
    if (error != Exception::kNone) return error;
    out.values = data.subspan(8);
    return out.values.size() == size_t{count} * 2 ? Exception::kNone : Exception::kValue;
}

Exception parse_identify(Bytes data, ModbusRequest& out) {
    if (data.size() != 3 || data[0] != kMeiIdentify) return Exception::kFunction;
    out.identify_code = data[1];
    out.object = data[2];
    return out.identify_code >= 1 && out.identify_code <= 4 ? Exception::kNone : Exception::kValue;
}

}  // namespace

ModbusException parse_modbus_request(Bytes pdu, ModbusRequest& out) {
    out = ModbusRequest();
    if (pdu.empty()) return Exception::kFunction;
    if (pdu.size() > kModbusPdu) return Exception::kValue;
    out.function = static_cast<ModbusFunction>(pdu[0]);
    const Bytes data = pdu.subspan(1);
    switch (out.function) {
        case ModbusFunction::kReadHolding:
        case ModbusFunction::kReadInput:
            return parse_read(data, out);
        case ModbusFunction::kWriteOne:
            return parse_write_one(data, out);
        case ModbusFunction::kWriteMany:
            return parse_write_many(data, out);
        case ModbusFunction::kReadFile:
            return parse_read_file(data, out);
        case ModbusFunction::kWriteFile:
            return parse_write_file(data, out);
        case ModbusFunction::kReadWrite:
            return parse_read_write(data, out);
        case ModbusFunction::kIdentify:
            return parse_identify(data, out);
    }
    return Exception::kFunction;
}

}  // namespace ota
