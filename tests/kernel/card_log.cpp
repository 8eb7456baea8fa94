// Writes a log to a card until its files have turned over many times, or lines that wait for a
// cloud, inside of the virtual machine (tests/kernel/run.py). Each time that lines have become
// durable it says so on the card itself, behind the file system: so the record of what was written
// to the card tells of each moment which lines a loss of power may not take.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "linux/clock_virtual.hpp"
#include "observe/log_file.hpp"
#include "observe/log_spool.hpp"
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

    // From first to last; 0: none.
    bool write(uint32_t first, uint32_t last) {
        (void)std::snprintf(static_cast<char*>(sector_), kSector, "%s%u %u\n", kMagic, first, last);
        return pwrite(fd_, sector_, kSector, at_) == static_cast<ssize_t>(kSector);
    }

  private:
    int fd_;
    off_t at_;
    void* sector_ = nullptr;
};

ota::LogRecord record_of(uint32_t line, ota::Millis at) {
    constexpr std::string_view kText = "a line of a log that somebody may want to read one day";
    ota::LogRecord out;
    out.tag = "card";
    out.boot = 0x1a2b3c4d;
    out.sequence = line;
    out.at = at;
    out.text = kText.substr(0, 1 + static_cast<size_t>(std::rand()) % kText.size());
    return out;
}

void pass_some_time(ota::VirtualClock& clock) {
    clock.advance(static_cast<ota::Millis>(std::rand() % 100));
    if (std::rand() % 10 == 0) usleep(static_cast<useconds_t>(std::rand() % 50000));
}

// What waits is written, and sent now and then: all of it, or the older half.
int write_spool(const char* mount, Marker& marker, uint32_t lines) {
    constexpr int64_t kOffset = 1795999323000;
    ota::LogDirectory store("/card", mount);
    ota::VirtualClock clock;
    ota::LogBatch batch;
    ota::LogSpool spool(store, clock);
    if (!store.set_directory("/card/log")) return 1;
    spool.step(batch, kOffset);  // takes what is there
    uint32_t first = 1;          // that waits
    for (uint32_t line = 1; line <= lines; ++line) {
        batch.add(record_of(line, clock.now()));
        pass_some_time(clock);
        if (line - first >= 30 || std::rand() % 16 == 0) {
            if (!marker.write(0, 0)) return 1;
            batch.seal(clock.now(), kOffset, std::rand() % 2 == 0 ? SIZE_MAX : (line - first) / 2);
            first += static_cast<uint32_t>(batch.sealed_count());
            batch.drop();
        } else if (std::rand() % 4 != 0) {
            continue;
        }
        spool.flush(batch, kOffset);
        if (first <= line && !marker.write(first, line)) return 1;
    }
    return 0;
}

// Lines of many lengths; flushed at once, or left to the file's own time.
int write_log(const char* mount, Marker& marker, uint32_t lines) {
    ota::LogDirectory store("/card", mount);
    ota::VirtualClock clock;
    if (!store.set_directory("/card/log")) return 1;
    ota::LogFile file(store, clock, {.file_size = 4096, .files = 4});
    uint32_t durable = 0;
    for (uint32_t line = 1; line <= lines; ++line) {
        file.take(record_of(line, clock.now()));
        pass_some_time(clock);
        // No more than what the file's memory takes.
        if (std::rand() % 8 != 0 && line - durable < 12) continue;
        file.flush();
        durable = line;
        if (!file.is_usable() || !marker.write(1, line)) return 1;
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 6) return 2;
    const std::string_view what = argv[1];
    const auto lines = static_cast<uint32_t>(std::atol(argv[5]));
    Marker marker(argv[3], std::atol(argv[4]));
    std::srand(1);
    const int failed =
        what == "spool" ? write_spool(argv[2], marker, lines) : write_log(argv[2], marker, lines);
    std::printf("KERNEL %s a %s of %s lines was written\n", failed == 0 ? "ok" : "FAIL", argv[1],
                argv[5]);
    return failed;
}
