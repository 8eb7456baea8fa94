// Writes a log to a card until its files have turned over many times, inside of the virtual machine
// (tests/kernel/run.py). Each time that lines have become durable it says so on the card itself,
// behind the file system: so the record of what was written to the card tells of each moment which
// lines a loss of power may not take.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "linux/clock_virtual.hpp"
#include "observe/log_file.hpp"
#include "posix/log_directory.hpp"

namespace {

constexpr size_t kSector = 512;
constexpr char kMagic[] = "DURABLE ";

class Marker {
  public:
    Marker(const char* device, off_t at)
        : fd_(open(device, O_WRONLY | O_DIRECT | O_SYNC)), at_(at) {
        if (posix_memalign(&sector_, 4096, kSector) != 0) std::abort();
        std::memset(sector_, 0, kSector);
    }
    ~Marker() {
        (void)close(fd_);
        std::free(sector_);
    }
    Marker(const Marker&) = delete;
    Marker& operator=(const Marker&) = delete;

    bool write(uint32_t line) {
        (void)std::snprintf(static_cast<char*>(sector_), kSector, "%s%u\n", kMagic, line);
        return pwrite(fd_, sector_, kSector, at_) == static_cast<ssize_t>(kSector);
    }

  private:
    int fd_;
    off_t at_;
    void* sector_ = nullptr;
};

// Lines of many lengths; flushed at once, or left to the file's own time.
int write_log(const char* mount, const char* device, off_t marker_at, uint32_t lines) {
    ota::LogDirectory store("/card", mount);
    ota::VirtualClock clock;
    Marker marker(device, marker_at);
    if (!store.set_directory("/card/log")) return 1;
    ota::LogFile file(store, clock, {.file_size = 4096, .files = 4});
    std::srand(1);
    const std::string_view text = "a line of a log that somebody may want to read one day";
    uint32_t durable = 0;
    for (uint32_t line = 1; line <= lines; ++line) {
        ota::LogRecord record;
        record.tag = "card";
        record.boot = 0x1a2b3c4d;
        record.sequence = line;
        record.at = clock.now();
        record.text = text.substr(0, 1 + static_cast<size_t>(std::rand()) % text.size());
        file.take(record);
        clock.advance(static_cast<ota::Millis>(std::rand() % 100));
        if (std::rand() % 10 == 0) usleep(static_cast<useconds_t>(std::rand() % 50000));
        // No more than what the file's memory takes.
        if (std::rand() % 8 != 0 && line - durable < 12) continue;
        file.flush();
        durable = line;
        if (!file.is_usable() || !marker.write(line)) return 1;
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) return 2;
    const int failed =
        write_log(argv[1], argv[2], std::atol(argv[3]), static_cast<uint32_t>(std::atol(argv[4])));
    std::printf("KERNEL %s a log of %s lines was written\n", failed == 0 ? "ok" : "FAIL", argv[4]);
    return failed;
}
