// A module board as a process of its own, on a CAN interface of the host, with a flash file.
#include <fcntl.h>
#include <poll.h>
#include <psa/crypto.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>

#include "base/hex.hpp"
#include "board.hpp"
#include "linux/can_any.hpp"
#include "linux/clock_real.hpp"
#include "linux/flash_model.hpp"
#include "linux/serial_tty.hpp"
#include "sources/can/slcan_bus.hpp"

namespace {

// A bus that loses frames on their way here.
class LossyCan final : public ota::CanBus {
  public:
    LossyCan(ota::CanBus& bus, unsigned permille) : bus_(bus), permille_(permille) {}
    ota::Status open(const ota::CanConfig& config) override { return bus_.open(config); }
    ota::Result<bool> receive(ota::CanFrame& out) override {
        while (true) {
            const ota::Result<bool> came = bus_.receive(out);
            if (!came.ok() || !*came) return came;
            random_ = random_ * 1664525U + 1013904223U;  // Numerical Recipes
            if ((random_ >> 16) % 1000 >= permille_) return true;
        }
    }
    ota::Status send(const ota::CanFrame& frame) override { return bus_.send(frame); }
    Sending sending() override { return bus_.sending(); }
    void close() override { bus_.close(); }

  private:
    ota::CanBus& bus_;
    const unsigned permille_;
    uint32_t random_ = 1;
};

struct Settings {
    std::string flash;
    std::string can = "udp:239.74.163.2";
    std::string image;
    std::string key;
    board::Identity identity;
    board::Faults faults;
    unsigned loss = 0;
    uint32_t erase_ms = 1;
    uint32_t boot_ms = 300;
    uint64_t cut_at = 0;
};

void add_options(CLI::App& app, Settings& s) {
    app.add_option("--flash", s.flash, "Its flash; made when it is not there")->required();
    app.add_option("--can", s.can, "can0, slcan:/dev/ttyACM0 or udp:239.74.163.2")
        ->capture_default_str();
    app.add_option("--number", s.identity.number, "Which board it is")
        ->check(CLI::Range(1, 12))
        ->capture_default_str();
    app.add_option("--image", s.image, "What a new flash begins with");
    app.add_option("--hardware", s.identity.hardware, "Its hardware number")->capture_default_str();
    app.add_option("--serial", s.identity.serial, "Its serial number");
    app.add_option("--key", s.key, "File with the key that opens it: 64 hexadecimal digits");
    app.add_option("--erase-ms", s.erase_ms, "Time for a sector")->capture_default_str();
    app.add_option("--boot-ms", s.boot_ms, "Time to start")->capture_default_str();
    app.add_option("--cut-at", s.cut_at, "Lose power in this flash operation: exit code 10");
    app.add_option("--loss", s.loss, "Of a thousand frames, so many do not arrive")
        ->check(CLI::Range(0, 999));
    app.add_option("--busy", s.faults.busy_answers, "So many requests are answered with 21 first");
    app.add_option("--wrong-counter-at", s.faults.wrong_counter_at,
                   "The block with this byte is taken and answered with 73");
    app.add_option("--reset-at", s.faults.reset_at, "Reset when this byte has come, once");
    app.add_flag("--dead", s.faults.is_dead, "Answer nothing");
    app.add_flag("--reverts", s.faults.reverts, "A new image does not start");
    app.add_flag("--never-returns", s.faults.never_returns, "Nor does the old one come back");
    app.add_flag("--refuses-downgrade", s.faults.refuses_downgrade, "Take no older version");
}

std::vector<uint8_t> read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// The file, mapped; made and empty when it was not there. Empty: it can't be had.
ota::MutableBytes map_flash(const std::string& path, bool& is_new) {
    const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    struct stat before {};
    if (file < 0 || fstat(file, &before) != 0) return {};
    is_new = before.st_size != board::kFlashSize;
    if (is_new && ftruncate(file, board::kFlashSize) != 0) return {};
    void* const memory =
        mmap(nullptr, board::kFlashSize, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (memory == MAP_FAILED) return {};
    const ota::MutableBytes out(static_cast<uint8_t*>(memory), board::kFlashSize);
    if (is_new) std::fill(out.begin(), out.end(), uint8_t{0xFF});
    return out;
}

volatile std::sig_atomic_t stop_asked = 0;

constexpr int kPowerLost = 10;

int run(Settings& s) {
    bool is_new = false;
    const ota::MutableBytes memory = map_flash(s.flash, is_new);
    if (memory.empty()) {
        std::cerr << s.flash << ": can't be opened\n";
        return 6;
    }
    if (!s.key.empty()) {
        s.identity.key.resize(32);
        std::string digits;
        std::ifstream(s.key) >> digits;
        if (!ota::parse_hex(std::string_view(digits), s.identity.key)) {
            std::cerr << s.key << ": 64 hexadecimal digits are needed\n";
            return 6;
        }
    }
    if (s.identity.serial == board::Identity().serial) {
        s.identity.serial = "M" + std::to_string(1000 + s.identity.number);
    }
    ota::RealClock clock;
    ota::TtyPort line;
    ota::SlcanBus slcan(line);
    ota::AnyCan any(slcan, line);
    LossyCan bus(any, s.loss);
    ota::CanConfig config;
    config.interface = s.can.c_str();
    if (!bus.open(config).ok()) {
        std::cerr << s.can << ": no such CAN interface\n";
        return 7;
    }
    ota::FlashModel flash(memory);
    const board::Timing timing{s.erase_ms * 1000, 100, 10, s.boot_ms * 1000};
    board::ModuleBoard board(flash, clock, bus, s.identity, timing);
    if (is_new && !s.image.empty()) board.put_image(read_file(s.image));
    board.faults = s.faults;
    flash.cut_at(s.cut_at, ota::CutKind::kTornBytes, 1);
    while (stop_asked == 0) {
        board.poll();
        if (flash.is_off()) return kPowerLost;
        pollfd readable{any.descriptor(), POLLIN, 0};
        (void)::poll(&readable, 1, 1);
    }
    return 0;
}

int serve(int argc, char** argv) {
    Settings settings;
    CLI::App app{
        "A simulated board of a battery module: UDS on CAN, two slots, and faults on demand."};
    app.footer(
        "Exit codes: 0 stopped, 2 usage, 6 file, 7 CAN interface, 10 power lost by --cut-at.\n"
        "Example:\n  module_board --flash m1.flash --image module-1.0.0.bin --number 1 --can can0");
    add_options(app, settings);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    if (psa_crypto_init() != PSA_SUCCESS) return 1;
    for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { stop_asked = 1; });
    return run(settings);
}

}  // namespace

int main(int argc, char** argv) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
        return serve(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "module_board: %s\n", error.what());
        return 6;
    }
}
