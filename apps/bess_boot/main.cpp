// The twin's chip: powers the flash, runs boot ROM and bootloader, then executes the program that
// the chosen image carries, again after every reset.
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>

#include "bootloader.hpp"
#include "file_flash.hpp"

namespace {

// Exit codes, as --help lists them.
constexpr int kOk = 0;
constexpr int kUsage = 2;
constexpr int kNoImage = 4;
constexpr int kBootLoop = 5;
constexpr int kIo = 6;
constexpr int kPowerLost = 10;

struct Options {
    std::string flash;
    std::string cut;
    uint64_t cut_at = 0;
    uint32_t cut_kind = 0;
    uint32_t seed = 1;
    uint32_t watchdog_ms = 3000;
    uint32_t max_boots = 20;
    bool timing = false;
    std::vector<std::string> firmware_arguments;
};

void say(const std::string& line) {
    std::printf("boot: %s\n", line.c_str());
    std::fflush(stdout);
}

[[noreturn]] void die(int code, const std::string& line) {
    std::fprintf(stderr, "bess_boot: %s\n", line.c_str());
    std::exit(code);
}

// "N" or "N:kind".
bool parse_cut(Options& options) {
    static const std::array<const char*, 4> kKinds = {"clean", "bytes", "bits", "erase"};
    const size_t colon = options.cut.find(':');
    try {
        options.cut_at = std::stoull(options.cut.substr(0, colon));
    } catch (const std::exception&) {
        return false;
    }
    if (colon == std::string::npos) return true;
    for (uint32_t i = 0; i < kKinds.size(); ++i) {
        if (options.cut.substr(colon + 1) != kKinds[i]) continue;
        options.cut_kind = i;
        return true;
    }
    return false;
}

struct Mapping {
    int fd = -1;
    std::span<uint8_t> bytes;
};

Mapping map_flash(const std::string& path) {
    Mapping mapping;
    mapping.fd = open(path.c_str(), O_RDWR);
    struct stat info {};
    if (mapping.fd < 0 || fstat(mapping.fd, &info) != 0) {
        die(kIo, "can't open " + path + ": make it with otactl flash create");
    }
    const auto size = static_cast<size_t>(info.st_size);
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, mapping.fd, 0);
    if (memory == MAP_FAILED) die(kIo, "can't map " + path);
    mapping.bytes = {static_cast<uint8_t*>(memory), size};
    return mapping;
}

int memory_file(const char* name, size_t size) {
    const int fd = memfd_create(name, 0);
    if (fd < 0 || ftruncate(fd, static_cast<off_t>(size)) != 0) die(kIo, "memfd_create failed");
    return fd;
}

// Copies the image's program out of flash; the copy is what runs.
int load_program(const std::span<uint8_t>& flash, const rom::Image& image) {
    const int fd = memory_file("firmware", 0);
    size_t done = 0;
    while (done < image.elf_length) {
        const ssize_t n =
            write(fd, flash.data() + image.elf_offset + done, image.elf_length - done);
        if (n <= 0) die(kIo, "can't copy the program out of flash");
        done += static_cast<size_t>(n);
    }
    return fd;
}

[[noreturn]] void execute(int program, const Options& options, pid_t chip) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != chip) _exit(127);  // the chip was switched off meanwhile
    std::vector<char*> arguments = {const_cast<char*>("firmware")};
    for (const std::string& argument : options.firmware_arguments) {
        arguments.push_back(const_cast<char*>(argument.c_str()));
    }
    arguments.push_back(nullptr);
    fexecve(program, arguments.data(), environ);
    std::fprintf(stderr, "bess_boot: can't execute the image's program: %s%s\n",
                 std::strerror(errno), errno == EACCES ? " (is vm.memfd_noexec 2?)" : "");
    _exit(127);
}

// Waits for the firmware's end; no heartbeat for so long is a watchdog reset. Returns wait status.
int supervise(pid_t firmware, twin::Wires& wires, const Options& options, bool& watchdog) {
    using Clock = std::chrono::steady_clock;
    const int handle = static_cast<int>(syscall(SYS_pidfd_open, firmware, 0));
    uint32_t beat = wires.heartbeat;
    Clock::time_point last = Clock::now();
    watchdog = false;
    while (true) {
        pollfd ended = {handle, POLLIN, 0};
        if (poll(&ended, 1, 50) > 0) break;
        if (wires.heartbeat != beat) {
            beat = wires.heartbeat;
            last = Clock::now();
        }
        if (Clock::now() - last < std::chrono::milliseconds(options.watchdog_ms)) continue;
        watchdog = true;
        kill(firmware, SIGKILL);
        break;
    }
    int status = 0;
    waitpid(firmware, &status, 0);
    close(handle);
    return status;
}

class Chip {
  public:
    Chip(const Chip&) = delete;
    Chip& operator=(const Chip&) = delete;
    explicit Chip(const Options& options) : options_(options), flash_(map_flash(options.flash)) {
        wires_fd_ = memory_file("wires", sizeof(twin::Wires));
        void* memory =
            mmap(nullptr, sizeof(twin::Wires), PROT_READ | PROT_WRITE, MAP_SHARED, wires_fd_, 0);
        if (memory == MAP_FAILED) die(kIo, "can't map the wires");
        wires_ = new (memory) twin::Wires{};
        wires_->cut_at = options.cut_at;
        wires_->cut_kind = options.cut_kind;
        wires_->cut_seed = options.seed;
        wires_->flash_timing = options.timing ? 1 : 0;
        setenv(twin::kFlashFdVariable, std::to_string(flash_.fd).c_str(), 1);
        setenv(twin::kWiresFdVariable, std::to_string(wires_fd_).c_str(), 1);
    }

    int run() {
        using Clock = std::chrono::steady_clock;
        for (uint32_t boots = 0; boots < options_.max_boots; ++boots) {
            const Clock::time_point start = Clock::now();
            if (const int code = boot_once()) return code < 0 ? kOk : code;
            if (Clock::now() - start > std::chrono::seconds(10)) boots = 0;  // it ran for a while
        }
        say("too many resets without a stable firmware; stopping (--max-boots)");
        return kBootLoop;
    }

  private:
    // 0: reset, go on; -1: switched off; else an exit code.
    int boot_once() {
        rom::FileFlash rom_flash(flash_.bytes, *wires_);
        std::vector<std::string> log;
        const std::optional<rom::Boot> boot = rom::boot(rom_flash, &log);
        for (const std::string& line : log) say(line);
        if (wires_->power_lost != 0) return power_lost();
        if (!boot || boot->image.elf_length == 0) {
            say("no valid image: a real chip would reset for ever");
            return kNoImage;
        }
        return run_firmware(*boot);
    }

    int run_firmware(const rom::Boot& boot) {
        constexpr uint32_t kFactoryCode = 0xFE;  // SlotId of the factory slot in the firmware
        if (boot.slot == rom::kTestApp)
            die(kNoImage, "only the test app boots; the twin has no use for it");
        const bool factory = boot.slot == rom::kFactory;
        wires_->slot = factory ? kFactoryCode : static_cast<uint32_t>(boot.slot);
        say("starting " + (factory ? std::string("factory") : "ota_" + std::to_string(boot.slot)));
        const int program = load_program(flash_.bytes, boot.image);
        const pid_t chip = getpid();
        const pid_t firmware = fork();
        if (firmware < 0) die(kIo, "fork failed");
        if (firmware == 0) execute(program, options_, chip);
        close(program);
        bool watchdog = false;
        const int status = supervise(firmware, *wires_, options_, watchdog);
        if (wires_->power_lost != 0) return power_lost();
        if (WIFEXITED(status) && WEXITSTATUS(status) == twin::kExitPowerDown) {
            say("switched off after " + std::to_string(wires_->operations) + " flash operations");
            return -1;
        }
        if (WIFEXITED(status) && WEXITSTATUS(status) == twin::kExitSettings) return kUsage;
        note_reset(status, watchdog);
        return 0;
    }

    void note_reset(int status, bool watchdog) {
        twin::Reset reset = twin::Reset::kPanic;
        if (watchdog) {
            reset = twin::Reset::kWatchdog;
            say("reset: watchdog");
        } else if (WIFEXITED(status) && WEXITSTATUS(status) == twin::kExitRestart) {
            reset = twin::Reset::kSoftware;
            say("reset: software restart");
        } else if (WIFSIGNALED(status)) {
            say(std::string("reset: panic (") + strsignal(WTERMSIG(status)) + ")");
        } else {
            say("reset: panic (exit code " + std::to_string(WEXITSTATUS(status)) + ")");
        }
        wires_->reset = static_cast<uint32_t>(reset);
    }

    int power_lost() {
        say("power lost in flash operation " + std::to_string(wires_->operations));
        return kPowerLost;
    }

    const Options& options_;
    Mapping flash_;
    int wires_fd_ = -1;
    twin::Wires* wires_ = nullptr;
};

int run(int argc, char** argv) {
    Options options;
    CLI::App app{"The chip of the BESS twin: boots the firmware out of a flash file."};
    app.footer(
        "Example:\n"
        "  bess_boot --flash bess.flash -- key=pub.pem sd=card auto=1 control=/tmp/bess.sock\n"
        "Arguments behind -- go to the firmware: key=PEM sd=DIR usb=DIR sd-path=PATTERN auto=1\n"
        "  check-ms=N rollback-ms=N battery=FILE control=SOCKET\n"
        "  url=https://… ca=PEM user=FILE token=FILE client=PEM pin=BASE64 header=FILE\n"
        "  max-bytes=N clock-unset=1 time-scale=N\n"
        "  vendor=UUID class=UUID device=UUID signatures=N revoked=DIGESTS\n"
        "  kek=FILE decrypt-key=FILE   keys for encrypted payloads\n"
        "  modbus-port=N               Modbus server on 127.0.0.1; modbus-line=PATH: RTU there,\n"
        "                              with modbus-baud=, modbus-format= 0 8E1, 1 8N1, 2 8N2,\n"
        "                              modbus-unit=N (default 1)\n"
        "  can=INTERFACE               UDS server there: can0, slcan:/dev/ttyACM0,\n"
        "                              udp:239.74.163.2; can-load=%, can-block=N, can-fd=1,\n"
        "                              can-request=ID can-response=ID (decimal)\n"
        "  serial-number=TEXT          of this unit, for peers on field buses\n"
        "  access-key=FILE             HMAC key for the door of the field buses, 64 hexadecimal\n"
        "                              digits; access-keys=FILE: public keys for it, PEM\n"
        "Exit codes: 0 switched off, 2 usage, 4 no valid image, 5 boot loop, 6 I/O,\n"
        "  10 power lost (--cut-at)");
    app.add_option("--flash", options.flash, "Flash file, from otactl flash create")->required();
    app.add_option(
        "--cut-at", options.cut,
        "Lose power in flash operation N, counted from power-on: N or N:clean|bytes|bits|erase");
    app.add_option("--seed", options.seed, "What a torn operation leaves");
    app.add_flag("--flash-timing", options.timing,
                 "Flash operations take as long as on the device");
    app.add_option("--watchdog-ms", options.watchdog_ms, "Reset after so long without a heartbeat")
        ->check(CLI::Range(100U, 600000U));
    app.add_option("--max-boots", options.max_boots,
                   "Give up after so many boots in a row, each shorter than 10 s");
    app.add_option("firmware", options.firmware_arguments, "Arguments of the firmware");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? kOk : kUsage;
    }
    if (!options.cut.empty() && !parse_cut(options)) {
        die(kUsage, "--cut-at: N or N:clean|bytes|bits|erase");
    }
    return Chip(options).run();
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bess_boot: %s\n", error.what());
        return kIo;
    }
}
