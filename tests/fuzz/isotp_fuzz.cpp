// Any frames on an ISO-TP link: it stays inside its buffer, never tells of a message that is
// longer, and is always back at rest after its timers. Each record is a size, a flag and so many
// bytes.
#include <cstdlib>

#include "wire/isotp.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::array<uint8_t, 300> buffer;
    ota::IsoTpConfig config;
    config.address.receive_id = 1;
    config.address.send_id = 2;
    config.address.functional_id = 3;
    config.buffer = buffer;
    if (size != 0) {
        config.frame_size = (data[0] & 1) != 0 ? 64 : 8;
        config.block_size = data[0] >> 4;
        if ((data[0] & 2) != 0)
            config.address.receive_extension = config.address.send_extension = 7;
    }
    ota::IsoTpLink link(config);
    const std::array<uint8_t, 200> answer{};
    ota::Micros now = 0;
    size_t at = 1;
    while (at + 2 <= size) {
        ota::CanFrame frame;
        frame.size = data[at] & 0x7F;  // what a driver could say at worst
        frame.id = 1 + (data[at + 1] & 1) * 2U;
        frame.is_fd = frame.size > 8;
        link.hold((data[at + 1] & 2) != 0);
        if ((data[at + 1] & 4) != 0) (void)link.send(answer, now);
        now += (data[at + 1] & 8) != 0 ? 400000 : 100;
        const size_t n = std::min<size_t>({frame.size, frame.data.size(), size - at - 2});
        std::copy_n(data + at + 2, n, frame.data.begin());
        at += 2 + n;
        (void)link.take(frame, now);
        if (link.message().size() > buffer.size()) std::abort();
        ota::CanFrame out;
        if (link.next(out, now)) {
            if (out.size < 8 || out.size > config.frame_size) std::abort();
            (data[at - 1] & 1) != 0 ? (void)link.sent(now) : (void)link.failed();
        }
        (void)link.poll(now);
    }
    link.hold(false);
    for (int i = 0; i < 40 && (link.is_sending() || link.is_receiving()); ++i) {
        ota::CanFrame out;
        if (link.next(out, now)) (void)link.sent(now);
        now += 1000000;
        (void)link.poll(now);
    }
    if (link.is_sending() || link.is_receiving()) std::abort();
    return 0;
}
