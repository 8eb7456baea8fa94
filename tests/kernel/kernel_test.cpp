// Runs inside of the virtual machine (tests/kernel/run.py), linked statically: our ISO-TP against
// the kernel's over real interfaces, and our file store on real file systems.
#include <fcntl.h>
#include <linux/can.h>
#include <linux/can/isotp.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "contracts/can_bus.hpp"
#include "linux/can_socketcan.hpp"
#include "linux/clock_real.hpp"
#include "posix/directory_store.hpp"
#include "wire/isotp.hpp"

namespace {

using Buffer = std::vector<uint8_t>;
using ota::IsoTpLink;

constexpr uint32_t kOurs = 0x1CDAF110;    // what we send with
constexpr uint32_t kTheirs = 0x1CDA10F1;  // and the kernel
constexpr int kPatience = 20000;          // ms; the machine is emulated

int failures = 0;

void report(bool good, const std::string& what) {
    std::printf("KERNEL %s %s\n", good ? "ok" : "FAIL", what.c_str());
    std::fflush(stdout);
    failures += good ? 0 : 1;
}

Buffer message_of(size_t size) {
    Buffer out(size);
    for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(i * 13 + i / 256);
    return out;
}

// ---------------------------------------------------------------- the kernel's side

class KernelIsoTp {
  public:
    KernelIsoTp(const char* interface, bool fd, uint8_t block_size, uint8_t separation)
        : socket_(socket(PF_CAN, SOCK_DGRAM, CAN_ISOTP)) {
        can_isotp_options options{};
        options.flags = CAN_ISOTP_TX_PADDING;
        options.txpad_content = 0xCC;
        can_isotp_fc_options flow{block_size, separation, 0};
        can_isotp_ll_options link{static_cast<uint8_t>(fd ? CANFD_MTU : CAN_MTU),
                                  static_cast<uint8_t>(fd ? 64 : 8), 0};
        sockaddr_can address{};
        address.can_family = AF_CAN;
        address.can_ifindex = static_cast<int>(if_nametoindex(interface));
        address.can_addr.tp.tx_id = kTheirs | CAN_EFF_FLAG;
        address.can_addr.tp.rx_id = kOurs | CAN_EFF_FLAG;
        is_good_ =
            setsockopt(socket_, SOL_CAN_ISOTP, CAN_ISOTP_OPTS, &options, sizeof options) == 0 &&
            setsockopt(socket_, SOL_CAN_ISOTP, CAN_ISOTP_RECV_FC, &flow, sizeof flow) == 0 &&
            setsockopt(socket_, SOL_CAN_ISOTP, CAN_ISOTP_LL_OPTS, &link, sizeof link) == 0 &&
            bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    }
    ~KernelIsoTp() { (void)close(socket_); }
    KernelIsoTp(const KernelIsoTp&) = delete;
    KernelIsoTp& operator=(const KernelIsoTp&) = delete;

    bool is_good() const { return is_good_; }
    bool send(const Buffer& message) const {
        return write(socket_, message.data(), message.size()) ==
               static_cast<ssize_t>(message.size());
    }
    Buffer receive() const {
        pollfd readable{socket_, POLLIN, 0};
        if (poll(&readable, 1, kPatience) != 1) return {};
        Buffer out(70000);
        const ssize_t size = read(socket_, out.data(), out.size());
        out.resize(size > 0 ? static_cast<size_t>(size) : 0);
        return out;
    }

  private:
    int socket_;
    bool is_good_ = false;
};

// ---------------------------------------------------------------- ours

class OurIsoTp {
  public:
    OurIsoTp(const char* interface, bool fd, uint8_t block_size, uint8_t separation)
        : buffer_(70000), link_(config(buffer_, fd, block_size, separation)) {
        ota::CanConfig bus;
        bus.interface = interface;
        bus.is_fd = fd;
        const std::array<uint32_t, 2> wanted{kTheirs, kOurs};
        bus.identifiers = wanted;
        is_good_ = bus_.open(bus).ok();
    }
    bool is_good() const { return is_good_; }
    bool send(const Buffer& message) {
        if (!link_.send(message, clock_.micros()).ok()) return false;
        return run(IsoTpLink::Event::kSent);
    }
    Buffer receive() {
        if (!run(IsoTpLink::Event::kReceived)) return {};
        return {link_.message().begin(), link_.message().end()};
    }

  private:
    static ota::IsoTpConfig config(Buffer& buffer, bool fd, uint8_t block_size,
                                   uint8_t separation) {
        ota::IsoTpConfig out;
        out.address.receive_id = kTheirs;
        out.address.send_id = kOurs;
        out.address.is_29_bit = true;
        out.buffer = buffer;
        out.frame_size = fd ? 64 : 8;
        out.block_size = block_size;
        out.separation = separation;
        return out;
    }
    // Until the event that is wanted; false: another end, or none in time.
    bool run(IsoTpLink::Event wanted) {
        const ota::Millis end = clock_.now() + kPatience;
        while (clock_.now() < end) {
            IsoTpLink::Event event = settle();
            ota::CanFrame frame;
            if (event == IsoTpLink::Event::kNone) {
                const ota::Result<bool> came = bus_.receive(frame);
                if (came.ok() && *came) {
                    event = link_.take(frame, clock_.micros());
                } else {
                    event = link_.poll(clock_.micros());
                }
            }
            if (event == wanted) return true;
            if (event == IsoTpLink::Event::kNotSent || event == IsoTpLink::Event::kAborted) {
                return false;
            }
            if (!is_out_ && link_.next(frame, clock_.micros())) {
                is_out_ = bus_.send(frame).ok();
                if (!is_out_ && link_.failed() == IsoTpLink::Event::kNotSent) return false;
            }
            pollfd readable{bus_.descriptor(), POLLIN, 0};
            const timespec moment{0, 100000};
            (void)ppoll(&readable, 1, &moment, nullptr);
        }
        return false;
    }
    IsoTpLink::Event settle() {
        if (!is_out_ || bus_.sending() == ota::CanBus::Sending::kUnderWay) {
            return IsoTpLink::Event::kNone;
        }
        is_out_ = false;
        const bool sent = bus_.sending() == ota::CanBus::Sending::kSent;
        return sent ? link_.sent(clock_.micros()) : link_.failed();
    }

    Buffer buffer_;
    IsoTpLink link_;
    ota::RealClock clock_;
    ota::SocketCan bus_;
    bool is_good_ = false;
    bool is_out_ = false;
};

void isotp(const char* our_interface, const char* their_interface, bool fd) {
    const std::string place = std::string(our_interface) + (fd ? " FD" : " classic");
    struct Row {
        size_t size;
        uint8_t block_size;
        uint8_t separation;
    };
    constexpr Row kRows[] = {{1, 0, 0},    {7, 0, 0},    {8, 0, 0},        {62, 8, 0},
                             {300, 1, 0},  {2050, 8, 0}, {2050, 15, 0xF5}, {4095, 0, 0},
                             {4096, 0, 0}, {8201, 32, 0}};
    for (const Row& row : kRows) {
        KernelIsoTp theirs(their_interface, fd, row.block_size, row.separation);
        OurIsoTp ours(our_interface, fd, row.block_size, row.separation);
        const std::string what = "isotp " + place + ", " + std::to_string(row.size) +
                                 " bytes, BS " + std::to_string(row.block_size) + " STmin " +
                                 std::to_string(row.separation);
        if (!theirs.is_good() || !ours.is_good()) {
            report(false, what + ": an interface can't be opened");
            continue;
        }
        const Buffer message = message_of(row.size);
        Buffer got;
        std::thread reader([&] { got = theirs.receive(); });
        const bool sent = ours.send(message);
        reader.join();
        report(sent && got == message, what + ", ours to the kernel's");
        std::thread writer([&] { (void)theirs.send(message); });
        got = ours.receive();
        writer.join();
        report(got == message, what + ", the kernel's to ours");
    }
}

// The port's contract, which the chip's adapter keeps over its model.
void can(const char* interface) {
    ota::SocketCan one;
    ota::SocketCan other;
    ota::contract::check_can_bus(one, other, {.interface = interface, .identifiers = {}});
    report(small_harness::registry.failures_of_current == 0, std::string("contract ") + interface);
}

// ---------------------------------------------------------------- file systems

// Every byte of the file, and whether it is what run.py put there.
void store(const char* mount, const char* name) {
    ota::DirectoryStore files("/medium", mount);
    const std::string path = std::string("/medium/") + name;
    ota::FileStat stat;
    bool good = files.open(path).ok() && files.stat(stat).ok() && stat.size != 0;
    Buffer block(4096);
    for (uint64_t at = 0; good && at < stat.size;) {
        const ota::Result<size_t> count = files.read_at(at, block);
        good = count.ok() && *count != 0;
        for (size_t i = 0; good && i < *count; ++i) {
            good = block[i] == static_cast<uint8_t>((at + i) * 13 + (at + i) / 256);
        }
        if (good) at += *count;
    }
    report(good, std::string("read ") + mount + "/" + name);
    const std::string text = "a result";
    const Buffer bytes(text.begin(), text.end());
    bool written = true;
    for (int i = 0; i < 2; ++i) {
        written = written && files.replace("/medium/bess.bin.result.json", bytes).ok();
    }
    report(written, std::string("write ") + mount + ", twice");
}

// The stick is pulled in the middle of the file.
void yank(const char* mount, const char* name, const char* gadget) {
    ota::DirectoryStore files("/medium", mount);
    const std::string path = std::string("/medium/") + name;
    Buffer block(4096);
    bool good = files.open(path).ok();
    for (uint64_t at = 0; good && at < 65536; at += block.size()) {
        good = files.read_at(at, block).ok();
    }
    report(good, "yank: the first 64 KiB");
    if (!good) return;  // what follows would be true of nothing
    const int udc = open(gadget, O_WRONLY);
    const bool pulled = udc >= 0 && write(udc, "\n", 1) == 1;
    (void)close(udc);
    report(pulled, "yank: pulled");
    sleep(1);
    ota::Status why;
    for (uint64_t at = 65536; why.ok() && at < 6000000; at += block.size()) {
        why = files.read_at(at, block).status();
    }
    report(why.is(ota::Code::kUnavailable), "yank: reading on says that the medium is gone");
    files.close();
    report(!files.open(path).ok() || !files.read_at(4000000, block).ok(),
           "yank: and so does a new try");
}

}  // namespace

int main(int argc, char** argv) {
    const std::string what = argc > 1 ? argv[1] : "";
    if (what == "isotp" && argc == 5) {
        isotp(argv[2], argv[3], std::string(argv[4]) == "fd");
    } else if (what == "can" && argc == 3) {
        can(argv[2]);
    } else if (what == "store" && argc == 4) {
        store(argv[2], argv[3]);
    } else if (what == "yank" && argc == 5) {
        yank(argv[2], argv[3], argv[4]);
    } else {
        std::fprintf(stderr, "see tests/kernel/run.py\n");
        return 2;
    }
    return failures == 0 ? 0 : 1;
}
