// Our end of an ISO-TP link for peers of other makers: frames as lines on stdin and stdout, "id
// data" in hexadecimal. Sends back each message that it gets. Ends with stdin.
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/hex.hpp"
#include "wire/isotp.hpp"

namespace {

using Event = ota::IsoTpLink::Event;

ota::Micros now() {
    const auto since = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<ota::Micros>(
        std::chrono::duration_cast<std::chrono::microseconds>(since).count());
}

bool parse_line(const std::string& line, ota::CanFrame& out) {
    char* data = nullptr;
    out.id = static_cast<uint32_t>(std::strtoul(line.c_str(), &data, 16));
    if (*data++ != ' ') return false;
    const std::string_view text(data);
    out.size = static_cast<uint8_t>(text.size() / 2);
    out.is_fd = out.size > 8;
    out.is_29_bit = out.id > 0x7FF;
    return text.size() % 2 == 0 && out.size <= out.data.size() &&
           ota::parse_hex(text, ota::MutableBytes(out.data).first(out.size));
}

void print_frame(const ota::CanFrame& frame) {
    std::printf("%X ", static_cast<unsigned>(frame.id));
    for (const uint8_t byte : frame.bytes()) std::printf("%02X", byte);
    std::printf("\n");
    std::fflush(stdout);
}

// The next line of stdin, as far as it is there.
bool take_line(std::string& pending, std::string& line) {
    const size_t end = pending.find('\n');
    if (end == std::string::npos) return false;
    line = pending.substr(0, end);
    pending.erase(0, end + 1);
    return true;
}

}  // namespace

// isotp_peer FRAME_SIZE BLOCK_SIZE SEPARATION
int main(int argc, char** argv) {
    if (argc != 4) return 2;
    std::vector<uint8_t> buffer(70000);
    ota::IsoTpConfig config;
    config.address = ota::IsoTpAddress::normal_fixed(0x10, 0xF1, 6);
    config.buffer = buffer;
    config.frame_size = static_cast<uint8_t>(std::atoi(argv[1]));
    config.block_size = static_cast<uint8_t>(std::atoi(argv[2]));
    config.separation = static_cast<uint8_t>(std::atoi(argv[3]));
    ota::IsoTpLink link(config);
    std::vector<uint8_t> answer;
    std::string pending;
    while (true) {
        ota::CanFrame frame;
        while (link.next(frame, now())) {
            print_frame(frame);
            (void)link.sent(now());
        }
        (void)link.poll(now());
        pollfd ready = {STDIN_FILENO, POLLIN, 0};
        (void)poll(&ready, 1, 1);
        if ((ready.revents & (POLLIN | POLLHUP)) == 0) continue;
        char bytes[4096];
        const ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
        if (n <= 0) return 0;
        pending.append(bytes, static_cast<size_t>(n));
        for (std::string line; take_line(pending, line);) {
            ota::CanFrame come;
            if (!parse_line(line, come)) return 1;
            if (link.take(come, now()) != Event::kReceived) continue;
            answer.assign(link.message().begin(), link.message().end());
            if (!link.send(answer, now()).ok()) return 1;
        }
    }
}
