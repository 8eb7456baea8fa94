#include "wire/isotp.hpp"

#include <deque>
#include <vector>

#include "support/test.hpp"

namespace ota {
namespace {

using Event = IsoTpLink::Event;
using Buffer = std::vector<uint8_t>;

CanFrame frame_of(uint32_t id, const Buffer& bytes, bool is_29_bit = false) {
    CanFrame out;
    out.id = id;
    out.is_29_bit = is_29_bit;
    out.is_fd = bytes.size() > 8;
    out.size = static_cast<uint8_t>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), out.data.begin());
    return out;
}

Buffer bytes_of(const CanFrame& frame) {
    return {frame.bytes().begin(), frame.bytes().end()};
}

Buffer message_of(size_t size) {
    Buffer out(size);
    for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(i * 7 + i / 256);
    return out;
}

IsoTpAddress near_address() {
    IsoTpAddress out;
    out.receive_id = 0x701;
    out.send_id = 0x702;
    return out;
}

IsoTpAddress far_address() {
    IsoTpAddress out = near_address();
    std::swap(out.receive_id, out.send_id);
    std::swap(out.receive_extension, out.send_extension);
    return out;
}

struct Peer {
    explicit Peer(const IsoTpConfig& wanted, size_t room = 5000) : buffer(room), config(wanted) {
        config.buffer = buffer;
        link.emplace(config);
    }
    // The event of a frame that comes.
    Event take(const Buffer& bytes, Micros now = 0) {
        return link->take(frame_of(config.address.receive_id, bytes, config.address.is_29_bit),
                          now);
    }
    // The frame that goes, and that it went; empty: none.
    Buffer next(Micros now = 0) {
        CanFrame frame;
        if (!link->next(frame, now)) return {};
        last = link->sent(now);
        return bytes_of(frame);
    }
    Buffer message() const { return {link->message().begin(), link->message().end()}; }

    Buffer buffer;
    IsoTpConfig config;
    std::optional<IsoTpLink> link;
    Event last = Event::kNone;
};

// ---------------------------------------------------------------- both ends

struct Transfer {
    size_t frames = 0;
    std::vector<Micros> consecutive;  // when each began
    std::vector<Buffer> flows;
    bool whole = false;
    Micros ended = 0;
};

// From a to b over a bus on which each frame takes 250 us.
Transfer transfer(Peer& a, Peer& b, const Buffer& message) {
    Transfer out;
    Micros now = 1000;
    if (!a.link->send(message, now).ok()) return out;
    for (int round = 0; round < 200000; ++round) {
        CanFrame frame;
        if (a.link->next(frame, now)) {
            ++out.frames;
            if (frame.data[a.config.address.size()] >> 4 == 2) out.consecutive.push_back(now);
            now += 250;
            const Event sent = a.link->sent(now);
            const Event event = b.link->take(frame, now);
            out.whole = event == Event::kReceived && b.message() == message;
            out.ended = now;
            if (sent == Event::kSent || sent == Event::kNotSent) return out;
        } else if (b.link->next(frame, now)) {
            out.flows.push_back(bytes_of(frame));
            now += 250;
            (void)b.link->sent(now);
            if (a.link->take(frame, now) == Event::kNotSent) return out;
        } else {
            const Micros due = std::min(a.link->due(), b.link->due());
            if (due == UINT64_MAX) return out;
            now = std::max(now + 1, due);
            if (a.link->poll(now) != Event::kNone || b.link->poll(now) != Event::kNone) return out;
        }
    }
    return out;
}

IsoTpConfig config_of(const IsoTpAddress& address) {
    IsoTpConfig out;
    out.address = address;
    return out;
}

TEST(IsoTp, EverySizeArrivesWhole) {
    for (const uint8_t frame_size : std::initializer_list<uint8_t>{8, 12, 16, 20, 24, 32, 48, 64}) {
        for (const bool extended : {false, true}) {
            IsoTpConfig near = config_of(near_address());
            IsoTpConfig far = config_of(far_address());
            near.frame_size = far.frame_size = frame_size;
            if (extended) {
                near.address.send_extension = far.address.receive_extension = 0x21;
                near.address.receive_extension = far.address.send_extension = 0xF1;
            }
            Peer a(near, 70000);
            Peer b(far, 70000);
            for (const size_t size :
                 std::initializer_list<size_t>{1, 2, 6, 7, 8, 9, 10, 13, 14, 61, 62, 63, 64, 100,
                                               2050, 4095, 4096, 8201, 66000}) {
                EXPECT_TRUE(transfer(a, b, message_of(size)).whole)
                    << size << " in frames of " << int{frame_size};
            }
        }
    }
}

TEST(IsoTp, FramesAreThoseOfTheStandard) {
    Peer peer(config_of(near_address()));
    const Buffer single = message_of(3);
    ASSERT_TRUE(peer.link->send(single, 0).ok());
    EXPECT_TRUE(peer.next() == (Buffer{0x03, 0, 7, 14, 0xCC, 0xCC, 0xCC, 0xCC}));
    EXPECT_EQ(peer.last, Event::kSent);
    const Buffer message = message_of(20);
    ASSERT_TRUE(peer.link->send(message, 0).ok());
    EXPECT_TRUE(peer.next() == (Buffer{0x10, 20, 0, 7, 14, 21, 28, 35}));
    EXPECT_TRUE(peer.next().empty());  // not before the peer says so
    EXPECT_EQ(peer.take({0x30, 0, 0}), Event::kNone);
    EXPECT_TRUE(peer.next() == (Buffer{0x21, 42, 49, 56, 63, 70, 77, 84}));
    EXPECT_TRUE(peer.next() == (Buffer{0x22, 91, 98, 105, 112, 119, 126, 133}));
    EXPECT_EQ(peer.last, Event::kSent);
    // And what comes.
    EXPECT_EQ(peer.take({0x10, 9, 1, 2, 3, 4, 5, 6}), Event::kNone);
    EXPECT_TRUE(peer.next() == (Buffer{0x30, 0, 0, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC}));
    EXPECT_EQ(peer.take({0x21, 7, 8, 9}), Event::kReceived);
    EXPECT_TRUE(peer.message() == (Buffer{1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(IsoTp, SequenceNumberGoesFromFifteenToZero) {
    Peer peer(config_of(near_address()));
    const Buffer message = message_of(6 + 7 * 20);
    ASSERT_TRUE(peer.link->send(message, 0).ok());
    (void)peer.next();
    (void)peer.take({0x30, 0, 0});
    for (int i = 1; i <= 20; ++i) EXPECT_EQ(peer.next().at(0), 0x20 | i % 16) << i;
}

TEST(IsoTp, NormalFixedAddressesAndFunctionalRequests) {
    const IsoTpAddress own = IsoTpAddress::normal_fixed(0x10, 0xF1, 7, 0x33);
    EXPECT_EQ(own.receive_id, 0x1CDA10F1U);
    EXPECT_EQ(own.send_id, 0x1CDAF110U);
    EXPECT_EQ(*own.functional_id, 0x1CDB33F1U);
    Peer peer(config_of(own));
    EXPECT_EQ(peer.link->take(frame_of(0x1CDB33F1, {0x02, 0x3E, 0x80}, true), 0),
              Event::kFunctional);
    const auto functional = [&] {
        return Buffer(peer.link->functional_message().begin(),
                      peer.link->functional_message().end());
    };
    EXPECT_TRUE(functional() == (Buffer{0x3E, 0x80}));
    // In the middle of a transfer it ends nothing, nor while we answer.
    (void)peer.take({0x10, 9, 1, 2, 3, 4, 5, 6});
    (void)peer.next();
    EXPECT_EQ(peer.link->take(frame_of(0x1CDB33F1, {0x02, 0x3E, 0x80}, true), 0),
              Event::kFunctional);
    EXPECT_EQ(peer.take({0x21, 7, 8, 9}), Event::kReceived);
    EXPECT_TRUE(peer.message() == (Buffer{1, 2, 3, 4, 5, 6, 7, 8, 9}));
    const Buffer answer = message_of(20);
    ASSERT_TRUE(peer.link->send(answer, 0).ok());
    (void)peer.next();
    EXPECT_EQ(peer.link->take(frame_of(0x1CDB33F1, {0x02, 0x10, 0x03}, true), 0),
              Event::kFunctional);
    EXPECT_TRUE(functional() == (Buffer{0x10, 0x03}));
    (void)peer.take({0x30, 0, 0});
    (void)peer.next();
    (void)peer.next();
    EXPECT_EQ(peer.last, Event::kSent);
    // To all there are single frames alone.
    EXPECT_EQ(peer.link->take(frame_of(0x1CDB33F1, {0x10, 9, 1, 2, 3, 4, 5, 6}, true), 0),
              Event::kNone);
    EXPECT_TRUE(peer.next().empty());
    // The same number in 11 bits, a remote frame, another peer.
    EXPECT_EQ(peer.link->take(frame_of(0x1CDA10F1, {0x01, 0x3E}, false), 0), Event::kNone);
    CanFrame remote = frame_of(0x1CDA10F1, {0x01, 0x3E}, true);
    remote.is_remote = true;
    EXPECT_EQ(peer.link->take(remote, 0), Event::kNone);
    EXPECT_EQ(peer.link->take(frame_of(0x1CDA10F2, {0x01, 0x3E}, true), 0), Event::kNone);
    EXPECT_EQ(peer.link->take(frame_of(0x1CDA10F1, {0x01, 0x3E}, true), 0), Event::kReceived);
}

// ---------------------------------------------------------------- receiving

TEST(FieldCase, F09_odd_single_frames_are_ignored) {
    Peer peer(config_of(near_address()), 64);
    const std::vector<Buffer> odd = {
        {},
        {0x00},
        {0x00, 1, 2, 3, 4, 5, 6, 7},                  // no length
        {0x08, 1, 2, 3, 4, 5, 6, 7},                  // longer than the frame
        {0x03, 1, 2},                                 // likewise
        {0x00, 0x07, 1, 2, 3, 4, 5, 6, 7, 0, 0, 0},   // an escape that is not due
        {0x05, 0x08, 1, 2, 3, 4, 5, 6, 7, 0, 0, 0},   // half an escape
        {0x00, 0x0B, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10},  // longer than the frame
        {0x40, 1},
        {0x50, 1},
        {0xF0, 1}};  // reserved
    for (const Buffer& bytes : odd) EXPECT_EQ(peer.take(bytes), Event::kNone) << bytes.size();
    EXPECT_TRUE(peer.next().empty());
    EXPECT_EQ(peer.take({0x07, 1, 2, 3, 4, 5, 6, 7}), Event::kReceived);
    EXPECT_EQ(peer.take({0x02, 1, 2}), Event::kReceived);  // not padded
    EXPECT_EQ(peer.take({0x00, 0x08, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0}), Event::kReceived);
    EXPECT_EQ(peer.message().size(), 8U);
}

TEST(FieldCase, F08_first_frames_with_odd_lengths) {
    Peer peer(config_of(near_address()), 4095);
    const std::vector<Buffer> ignored = {
        {0x10, 0, 0, 0, 0, 0, 1, 2},        // the escape of 0
        {0x10, 0, 0, 0, 0x0F, 0xFF, 1, 2},  // … and of 4095, which needs none
        {0x10, 7, 1, 2, 3, 4, 5, 6},        // would have been a single frame
        {0x10, 20, 1, 2, 3, 4, 5}};         // a first frame is full
    for (const Buffer& bytes : ignored) {
        EXPECT_EQ(peer.take(bytes), Event::kNone);
        EXPECT_TRUE(peer.next().empty());
    }
    // Longer than there is room: refused at once, and nothing is taken by the peer's number.
    for (const Buffer& bytes :
         {Buffer{0x10, 0, 0, 0, 0x10, 0, 1, 2}, Buffer{0x10, 0, 0, 1, 0, 0, 1, 2},
          Buffer{0x10, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2}}) {
        EXPECT_EQ(peer.take(bytes), Event::kNone);
        EXPECT_TRUE(peer.next() == (Buffer{0x32, 0, 0, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC}));
        EXPECT_FALSE(peer.link->is_receiving());
        EXPECT_EQ(peer.take({0x21, 1, 2, 3, 4, 5, 6, 7}), Event::kNone);
    }
    EXPECT_EQ(peer.take({0x1F, 0xFF, 1, 2, 3, 4, 5, 6}), Event::kNone);
    EXPECT_EQ(peer.next().at(0), 0x30);
}

TEST(IsoTp, LostOrDoubledFramesEndTheMessageInSilence) {
    for (const uint8_t sequence : std::initializer_list<uint8_t>{0x22, 0x20, 0x2F}) {
        Peer peer(config_of(near_address()));
        (void)peer.take({0x10, 20, 1, 2, 3, 4, 5, 6});
        (void)peer.next();
        EXPECT_EQ(peer.take({sequence, 1, 2, 3, 4, 5, 6, 7}), Event::kAborted);
        EXPECT_EQ(peer.link->result(), IsoTpResult::kWrongSequence);
        EXPECT_TRUE(peer.next().empty());
        EXPECT_EQ(peer.take({0x21, 1, 2, 3, 4, 5, 6, 7}), Event::kNone);
    }
}

TEST(IsoTp, OddConsecutiveFrames) {
    Peer peer(config_of(near_address()));
    EXPECT_EQ(peer.take({0x21, 1, 2, 3, 4, 5, 6, 7}), Event::kNone);  // of nothing
    (void)peer.take({0x10, 20, 1, 2, 3, 4, 5, 6});
    (void)peer.next();
    EXPECT_EQ(peer.take({0x21}), Event::kNone);  // no data: no progress
    EXPECT_EQ(peer.take({0x21, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}), Event::kNone);  // too large
    EXPECT_EQ(peer.take({0x21, 1, 2, 3}), Event::kAborted);  // only the last may be short
    EXPECT_EQ(peer.link->result(), IsoTpResult::kError);
    // What is more than the message is padding.
    (void)peer.take({0x10, 8, 1, 2, 3, 4, 5, 6});
    (void)peer.next();
    EXPECT_EQ(peer.take({0x21, 7, 8, 9, 9, 9, 9, 9}), Event::kReceived);
    EXPECT_TRUE(peer.message() == (Buffer{1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(FieldCase, F11_a_new_beginning_replaces_the_message) {
    Peer peer(config_of(near_address()));
    (void)peer.take({0x10, 20, 1, 2, 3, 4, 5, 6});
    (void)peer.next();
    EXPECT_EQ(peer.take({0x10, 9, 9, 8, 7, 6, 5, 4}), Event::kAborted);
    EXPECT_EQ(peer.link->result(), IsoTpResult::kUnexpectedPdu);
    EXPECT_EQ(peer.next().at(0), 0x30);
    EXPECT_EQ(peer.take({0x30, 0, 0}), Event::kNone);  // nobody waits for it
    EXPECT_EQ(peer.take({0x21, 3, 2, 1}), Event::kReceived);
    EXPECT_TRUE(peer.message() == (Buffer{9, 8, 7, 6, 5, 4, 3, 2, 1}));
    (void)peer.take({0x10, 20, 1, 2, 3, 4, 5, 6});
    (void)peer.next();
    EXPECT_EQ(peer.take({0x01, 0x3E}), Event::kReceived);
    EXPECT_EQ(peer.link->result(), IsoTpResult::kUnexpectedPdu);
    EXPECT_FALSE(peer.link->is_receiving());
}

TEST(FieldCase, F05_a_gap_of_one_second_ends_the_message) {
    for (const bool in_time : {true, false}) {
        Peer peer(config_of(near_address()));
        (void)peer.take({0x10, 20, 1, 2, 3, 4, 5, 6}, 0);
        (void)peer.next(1000);
        (void)peer.take({0x21, 1, 2, 3, 4, 5, 6, 7}, 2000);
        const Micros later = 2000 + (in_time ? 990000U : 1010000U);
        const Event event = peer.link->poll(later);
        EXPECT_EQ(event, in_time ? Event::kNone : Event::kAborted);
        EXPECT_TRUE(in_time || peer.link->result() == IsoTpResult::kTimeoutCr);
        EXPECT_EQ(peer.take({0x22, 1, 2, 3, 4, 5, 6, 7}, later),
                  in_time ? Event::kReceived : Event::kNone);
    }
}

// Silence right after our flow control, the first and that of a later block: no frame wakes us.
TEST(IsoTp, SilenceAfterOurFlowControlIsTimed) {
    IsoTpConfig config = config_of(near_address());
    config.block_size = 1;
    Peer peer(config);
    (void)peer.take({0x10, 30, 1, 2, 3, 4, 5, 6}, 0);
    (void)peer.next(0);
    EXPECT_EQ(peer.link->due(), 1000000U);
    (void)peer.take({0x21, 1, 2, 3, 4, 5, 6, 7}, 5000);
    EXPECT_EQ(peer.next(6000).at(0), 0x30);
    EXPECT_EQ(peer.link->poll(1005999), Event::kNone);
    EXPECT_EQ(peer.link->poll(1006000), Event::kAborted);
    EXPECT_EQ(peer.link->result(), IsoTpResult::kTimeoutCr);
}

TEST(IsoTp, HeldPeerIsToldToWaitTenTimes) {
    Peer peer(config_of(near_address()));
    peer.link->hold(true);
    (void)peer.take({0x10, 9, 1, 2, 3, 4, 5, 6}, 0);
    Micros now = 0;
    for (int i = 0; i < 3; ++i, now += 500000) EXPECT_EQ(peer.next(now).at(0), 0x31);
    EXPECT_TRUE(peer.next(now - 1).empty());  // below 0.9 s, and not more often than needed
    peer.link->hold(false);
    EXPECT_EQ(peer.next(now).at(0), 0x30);
    EXPECT_EQ(peer.take({0x21, 7, 8, 9}, now), Event::kReceived);
    peer.link->hold(true);
    (void)peer.take({0x10, 9, 1, 2, 3, 4, 5, 6}, now);
    int waits = 0;
    Event event = Event::kNone;
    for (; event == Event::kNone && waits < 100; now += 500000) {
        if (!peer.next(now).empty()) ++waits;
        event = peer.link->poll(now + 499999);
        if (event == Event::kNone) event = peer.link->poll(now + 500000);
    }
    EXPECT_EQ(waits, 10);
    EXPECT_EQ(peer.link->result(), IsoTpResult::kWaitOverrun);
}

// ---------------------------------------------------------------- sending

TEST(FieldCase, F06_flow_control_is_awaited_exactly_as_asked) {
    for (const uint8_t block : std::initializer_list<uint8_t>{1, 2, 5, 15, 17, 255, 0}) {
        IsoTpConfig far = config_of(far_address());
        far.block_size = block;
        Peer a(config_of(near_address()));
        Peer b(far);
        const Transfer seen = transfer(a, b, message_of(4095));
        EXPECT_TRUE(seen.whole) << int{block};
        const size_t frames = (4095 - 6 + 6) / 7;
        EXPECT_EQ(seen.consecutive.size(), frames);
        EXPECT_EQ(seen.flows.size(), block == 0 ? 1 : 1 + (frames - 1) / block) << int{block};
    }
    // Each one says anew how much.
    Peer peer(config_of(near_address()));
    const Buffer message = message_of(100);
    ASSERT_TRUE(peer.link->send(message, 0).ok());
    (void)peer.next();
    (void)peer.take({0x30, 1, 0});
    EXPECT_EQ(peer.next().at(0), 0x21);
    EXPECT_TRUE(peer.next().empty());
    (void)peer.take({0x30, 3, 0});
    for (int i = 2; i < 5; ++i) EXPECT_EQ(peer.next().at(0), 0x20 + i);
    EXPECT_TRUE(peer.next().empty());
    // A second one, or one too many, changes nothing.
    (void)peer.take({0x30, 0, 0});
    (void)peer.take({0x30, 1, 0x7F});
    for (int i = 5; i < 10; ++i) EXPECT_EQ(peer.next().at(0), 0x20 + i);
}

TEST(FieldCase, F03_the_peers_separation_is_kept) {
    const std::pair<uint8_t, Micros> cases[] = {{0x00, 0},      {0x14, 20000},  {0x7F, 127000},
                                                {0xF1, 100},    {0xF9, 900},    {0x80, 127000},
                                                {0xF0, 127000}, {0xFA, 127000}, {0xFF, 127000}};
    for (const auto& [value, least] : cases) {
        EXPECT_EQ(separation_of(value), least) << int{value};
        IsoTpConfig far = config_of(far_address());
        far.separation = value;
        IsoTpConfig near = config_of(near_address());
        near.separation = 0x33;  // what we ask is for the other direction
        Peer a(near);
        Peer b(far);
        const Transfer seen = transfer(a, b, message_of(300));
        EXPECT_TRUE(seen.whole);
        for (size_t i = 1; i < seen.consecutive.size(); ++i) {
            // From the end of one to the start of the next.
            EXPECT_GE(seen.consecutive[i], seen.consecutive[i - 1] + 250 + least) << int{value};
            EXPECT_LE(seen.consecutive[i], seen.consecutive[i - 1] + 250 + least + 1);
        }
    }
}

TEST(FieldCase, F04_failures_of_the_flow_control_are_told) {
    const Buffer message = message_of(100);
    {
        Peer peer(config_of(near_address()));
        ASSERT_TRUE(peer.link->send(message, 0).ok());
        (void)peer.next(0);
        EXPECT_EQ(peer.take({0x32, 0, 0}, 10), Event::kNotSent);
        EXPECT_EQ(peer.link->result(), IsoTpResult::kBufferOverflow);
    }
    {
        Peer peer(config_of(near_address()));
        ASSERT_TRUE(peer.link->send(message, 0).ok());
        (void)peer.next(0);
        EXPECT_EQ(peer.take({0x30, 0}, 10), Event::kNone);  // malformed
        EXPECT_EQ(peer.link->poll(999999), Event::kNone);
        EXPECT_EQ(peer.link->poll(1000000), Event::kNotSent);
        EXPECT_EQ(peer.link->result(), IsoTpResult::kTimeoutBs);
    }
    {
        Peer peer(config_of(near_address()));
        ASSERT_TRUE(peer.link->send(message, 0).ok());
        (void)peer.next(0);
        for (int i = 0; i < 20; ++i) {
            EXPECT_EQ(peer.take({0x31, 0, 0}, static_cast<Micros>(i) * 900000), Event::kNone);
        }
        EXPECT_EQ(peer.link->poll(19 * 900000 + 999999), Event::kNone);  // each one begins anew
        EXPECT_EQ(peer.take({0x31, 0, 0}, 20 * 900000), Event::kNotSent);
        EXPECT_EQ(peer.link->result(), IsoTpResult::kWaitOverrun);
    }
    for (const uint8_t reserved : std::initializer_list<uint8_t>{0x33, 0x3F}) {
        Peer peer(config_of(near_address()));
        ASSERT_TRUE(peer.link->send(message, 0).ok());
        (void)peer.next(0);
        EXPECT_EQ(peer.take({reserved, 0, 0}, 10), Event::kNotSent);
        EXPECT_EQ(peer.link->result(), IsoTpResult::kInvalidFlow);
        EXPECT_FALSE(peer.link->is_sending());
        EXPECT_TRUE(peer.link->send(message, 20).ok());  // and the next one begins from its start
        EXPECT_EQ(peer.next(20).at(0), 0x10);
    }
}

TEST(IsoTp, OneMessageAtATime) {
    Peer peer(config_of(near_address()));
    const Buffer message = message_of(100);
    ASSERT_TRUE(peer.link->send(message, 0).ok());
    EXPECT_TRUE(peer.link->send(message, 0).is(Code::kBusy));
    (void)peer.next();
    (void)peer.take({0x30, 0, 0});
    EXPECT_EQ(peer.next().at(0), 0x21);
    EXPECT_TRUE(peer.link->send(message, 0).is(Code::kBusy));
    EXPECT_EQ(peer.next().at(0), 0x22);
    EXPECT_TRUE(Peer(config_of(near_address())).link->send({}, 0).is(Code::kOutOfRange));
    // Half duplex: what comes meanwhile is not ours to take.
    EXPECT_EQ(peer.take({0x10, 9, 1, 2, 3, 4, 5, 6}), Event::kNone);
    EXPECT_EQ(peer.take({0x01, 0x3E}), Event::kNone);
    EXPECT_EQ(peer.next().at(0), 0x23);
}

TEST(IsoTp, FlowControlMayComeBeforeTheDriverSaysSent) {
    Peer peer(config_of(near_address()));
    const Buffer message = message_of(100);
    ASSERT_TRUE(peer.link->send(message, 0).ok());
    CanFrame frame;
    ASSERT_TRUE(peer.link->next(frame, 0));
    EXPECT_EQ(peer.take({0x30, 2, 0}, 10), Event::kNone);
    EXPECT_EQ(peer.link->sent(20), Event::kNone);
    EXPECT_EQ(peer.next(30).at(0), 0x21);
    ASSERT_TRUE(peer.link->next(frame, 40));
    EXPECT_EQ(frame.data[0], 0x22);
    EXPECT_EQ(peer.take({0x30, 2, 0}, 50), Event::kNone);
    EXPECT_EQ(peer.link->sent(60), Event::kNone);
    EXPECT_EQ(peer.next(70).at(0), 0x23);
    EXPECT_EQ(peer.link->poll(5000000), Event::kNone);  // no flow control is awaited
}

TEST(IsoTp, ADriverThatDoesNotSendEndsItAtOnce) {
    const Buffer message = message_of(100);
    Peer peer(config_of(near_address()));
    CanFrame frame;
    ASSERT_TRUE(peer.link->send(message, 0).ok());
    ASSERT_TRUE(peer.link->next(frame, 0));
    EXPECT_FALSE(peer.link->next(frame, 10));  // one at a time
    EXPECT_EQ(peer.link->failed(), Event::kNotSent);
    EXPECT_EQ(peer.link->result(), IsoTpResult::kTimeoutA);
    // Without a word from the driver, after a second.
    ASSERT_TRUE(peer.link->send(message, 100).ok());
    ASSERT_TRUE(peer.link->next(frame, 100));
    EXPECT_EQ(peer.link->poll(1000099), Event::kNone);
    EXPECT_EQ(peer.link->poll(1000100), Event::kNotSent);
    // Our flow control that can't be sent does not wait for frames that can't come.
    (void)peer.take({0x10, 9, 1, 2, 3, 4, 5, 6}, 2000000);
    ASSERT_TRUE(peer.link->next(frame, 2000000));
    EXPECT_EQ(peer.link->failed(), Event::kAborted);
    EXPECT_EQ(peer.link->result(), IsoTpResult::kTimeoutA);
    EXPECT_FALSE(peer.link->is_receiving());
}

}  // namespace
}  // namespace ota
