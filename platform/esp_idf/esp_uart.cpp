#include "esp_idf/esp_uart.hpp"

#include <driver/uart.h>

#include <algorithm>
#include <string_view>

namespace ota {
namespace {

constexpr Status kNoLine{Code::kUnavailable, Origin::kPlatform, Detail::kSerialLine};
constexpr Status kNotLikeThis{Code::kOutOfRange, Origin::kPlatform, Detail::kSerialLine};
// Two of Modbus' frames each way; received while flash is erased, sent without anybody waiting.
constexpr int kBuffer = 512;

// -1: no such name.
int port_of(std::string_view name) {
    constexpr std::string_view kPrefix = "uart";
    const bool known = name.size() == kPrefix.size() + 1 && name.starts_with(kPrefix);
    const int port = known ? name.back() - '0' : -1;
    return port >= 0 && port < UART_NUM_MAX ? port : -1;
}

uart_config_t config_of(const SerialConfig& config) {
    uart_config_t out{};
    out.baud_rate = static_cast<int>(config.baud_rate);
    out.data_bits = UART_DATA_8_BITS;
    out.parity = config.format == SerialFormat::k8E1 ? UART_PARITY_EVEN : UART_PARITY_DISABLE;
    out.stop_bits = config.format == SerialFormat::k8N2 ? UART_STOP_BITS_2 : UART_STOP_BITS_1;
    out.source_clk = UART_SCLK_DEFAULT;
    return out;
}

}  // namespace

Status EspUart::open(const SerialConfig& config) {
    close();
    const int port = port_of(config.device);
    if (port < 0) return kNoLine;
    const uart_config_t line = config_of(config);
    const auto number = static_cast<uart_port_t>(port);
    if (uart_driver_install(number, kBuffer, kBuffer, 0, nullptr, 0) != ESP_OK) return kNoLine;
    port_ = port;
    if (uart_param_config(number, &line) == ESP_OK) return {};
    close();
    return kNotLikeThis;
}

Result<size_t> EspUart::read(MutableBytes out) {
    const int count = uart_read_bytes(static_cast<uart_port_t>(port_), out.data(),
                                      static_cast<uint32_t>(out.size()), 0);
    if (count < 0) return kNoLine;
    return static_cast<size_t>(count);
}

// What does not fit into the driver's buffer would be waited for.
Result<size_t> EspUart::write(Bytes bytes) {
    const auto number = static_cast<uart_port_t>(port_);
    size_t room = 0;
    if (uart_get_tx_buffer_free_size(number, &room) != ESP_OK) return kNoLine;
    const size_t size = std::min(bytes.size(), room);
    const int count = size == 0 ? 0 : uart_write_bytes(number, bytes.data(), size);
    if (count < 0) return kNoLine;
    return static_cast<size_t>(count);
}

void EspUart::close() {
    if (port_ >= 0) (void)uart_driver_delete(static_cast<uart_port_t>(port_));
    port_ = -1;
}

}  // namespace ota
