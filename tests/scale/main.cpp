// Part of a fleet: many whole devices in one process, against real servers. tests/scale/run.py
// starts as many of these as the fleet needs, for libmosquitto waits by select(), which takes
// descriptors below 1,024 alone.
#include <psa/crypto.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "scale/unit.hpp"

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
    uint32_t first = 0;
    uint32_t units = 1;
    uint32_t seconds = 60;
    uint32_t time_scale = 1;
    scale::Places places;
    std::string authority;
    std::string identity;
};

test::Buffer image(const char* version) {
    return test::make_signed_of_size(version, 40 * 1024, 7);
}

std::string text_of(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

// KiB of this process that are in memory.
long resident() {
    std::ifstream file("/proc/self/statm");
    long all = 0;
    long pages = 0;
    file >> all >> pages;
    return pages * sysconf(_SC_PAGESIZE) / 1024;
}

void raise_limit() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

uint32_t count_done(const std::vector<std::unique_ptr<scale::Unit>>& units) {
    uint32_t done = 0;
    for (const auto& unit : units) done += unit->is_done() ? 1U : 0U;
    return done;
}

// Until all have taken their job, or the time is over; those that have.
uint32_t live(const std::vector<std::unique_ptr<scale::Unit>>& units, const Options& options) {
    constexpr auto kRound = std::chrono::milliseconds(10);
    constexpr uint32_t kLook = 20;  // rounds
    const bool has_jobs = options.places.check_url.empty();
    const auto end = Clock::now() + std::chrono::seconds(options.seconds);
    auto last = Clock::now();
    for (uint32_t round = 1; Clock::now() < end; ++round) {
        std::this_thread::sleep_until(last + kRound);
        const auto now = Clock::now();
        const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - last);
        last += elapsed;
        for (const auto& unit : units) {
            unit->step(static_cast<ota::Millis>(elapsed.count()) * options.time_scale);
        }
        if (has_jobs && round % kLook == 0 && count_done(units) == units.size()) break;
    }
    return has_jobs ? count_done(units) : 0;
}

int run(Options& options) {
    options.places.authority = text_of(options.authority);
    if (!options.identity.empty()) options.places.identity = text_of(options.identity);
    raise_limit();
    const test::Buffer old = image("1.0.0");
    const long before = resident();
    const auto begin = Clock::now();
    std::vector<std::unique_ptr<scale::Unit>> units;
    for (uint32_t i = 0; i < options.units; ++i) {
        units.push_back(std::make_unique<scale::Unit>(options.first + i, options.places, old));
        if (!units.back()->power_on()) return 1;
    }
    const uint32_t done = live(units, options);
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    const nlohmann::json out = {
        {"units", options.units},
        {"done", done},
        {"seconds", seconds},
        {"resident_kib", resident() - before},
        {"flash_kib", options.units * (0x10000 + 2 * scale::kLayout.slot_size) / 1024},
        {"core_bytes", scale::Unit::core_size()}};
    std::puts(out.dump().c_str());
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    std::string package;
    CLI::App app(
        "Devices of a fleet in one process; started by tests/scale/run.py. Prints one JSON "
        "object.");
    app.add_option("--write-package", package,
                   "write the package they get, in version --version, and end");
    std::string version = "1.1.0";
    app.add_option("--version", version, "of that package");
    app.add_option("--first", options.first, "number of the first unit");
    app.add_option("--units", options.units, "how many");
    app.add_option("--seconds", options.seconds, "how long at most");
    app.add_option("--time-scale", options.time_scale,
                   "the devices' time passes so many times faster");
    app.add_option("--broker", options.places.broker, "port of the broker on localhost");
    app.add_option("--check-url", options.places.check_url,
                   "check this URL each hour, and take no jobs");
    app.add_option("--authority", options.authority, "PEM file of who signed the servers");
    app.add_option("--identity", options.identity, "PEM file with the units' certificate and key");
    CLI11_PARSE(app, argc, argv);
    if (psa_crypto_init() != PSA_SUCCESS) return 1;
    if (package.empty()) return run(options);
    const test::Buffer bytes = image(version.c_str());
    std::ofstream(package, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<long>(bytes.size()));
    return 0;
}
