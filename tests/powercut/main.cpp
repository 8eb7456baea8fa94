// Loses power at every flash operation of every scenario. Exit code 0 only if no finding is left.
#include <psa/crypto.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "powercut/campaign.hpp"
#include "powercut/driver.hpp"

namespace {

struct Options {
    const char* scenario = nullptr;
    int64_t cut = -1;
    int kind = -1;
    uint32_t seed = 1;
    unsigned shard = 0;
    unsigned shards = 1;
    bool full = false;
    bool list = false;
};

int usage() {
    std::puts(
        "powercut [--full] [--scenario NAME] [--cut N] [--kind 0..4] [--seed N] [--shard I/N] "
        "[--list]\n"
        "Loses power in each flash operation of an update: clean (0), torn bytes (1), torn bits "
        "(2),\n"
        "half-erased sector (3), bits that read otherwise each time (4). --full: the whole product "
        "of the\n"
        "factors instead of a pairwise covering array. A finding names the options that reproduce "
        "it.\n"
        "Exit codes: 0 all invariants hold, 1 findings, 2 usage");
    return 2;
}

bool parse(int argc, char** argv, Options& out) {
    for (int i = 1; i < argc; ++i) {
        const bool more = i + 1 < argc;
        if (std::strcmp(argv[i], "--scenario") == 0 && more) {
            out.scenario = argv[++i];
        } else if (std::strcmp(argv[i], "--cut") == 0 && more) {
            out.cut = std::atoll(argv[++i]);
        } else if (std::strcmp(argv[i], "--kind") == 0 && more) {
            out.kind = std::atoi(argv[++i]);
        } else if (std::strcmp(argv[i], "--seed") == 0 && more) {
            out.seed = static_cast<uint32_t>(std::strtoul(argv[++i], nullptr, 10));
        } else if (std::strcmp(argv[i], "--shard") == 0 && more) {
            if (std::sscanf(argv[++i], "%u/%u", &out.shard, &out.shards) != 2 ||
                out.shard >= out.shards)
                return false;
        } else if (std::strcmp(argv[i], "--full") == 0) {
            out.full = true;
        } else if (std::strcmp(argv[i], "--list") == 0) {
            out.list = true;
        } else {
            return false;
        }
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    if (!parse(argc, argv, options) || psa_crypto_init() != PSA_SUCCESS) return usage();
    const std::vector<powercut::Scenario> scenarios = powercut::all_scenarios(options.full);
    std::vector<std::string> names;
    for (const powercut::Campaign& campaign : powercut::kCampaigns) names.push_back(campaign.name);
    for (const powercut::Scenario& scenario : scenarios) names.push_back(scenario.name);
    if (options.list) {
        for (const std::string& name : names) std::puts(name.c_str());
        return 0;
    }

    powercut::Tally total;
    unsigned ran = 0;
    const auto begin = std::chrono::steady_clock::now();
    for (size_t i = 0; i < names.size(); ++i) {
        if (i % options.shards != options.shard) continue;
        if (options.scenario != nullptr && names[i] != options.scenario) continue;
        constexpr size_t kFirst = powercut::kCampaigns.size();
        const powercut::Tally tally =
            i < kFirst
                ? powercut::run(powercut::kCampaigns[i], options.seed, options.cut, options.kind)
                : powercut::run(scenarios[i - kFirst], options.seed, options.cut, options.kind);
        ++ran;
        std::printf("%-32s %6llu cuts  %llu bricked  %llu stuck  %llu broken\n", names[i].c_str(),
                    static_cast<unsigned long long>(tally.cuts),
                    static_cast<unsigned long long>(tally.bricked),
                    static_cast<unsigned long long>(tally.stuck),
                    static_cast<unsigned long long>(tally.broken));
        std::fflush(stdout);
        for (const std::string& finding : tally.findings) std::printf("  %s\n", finding.c_str());
        total.cuts += tally.cuts;
        total.bricked += tally.bricked;
        total.stuck += tally.stuck;
        total.unexplained += tally.unexplained;
        total.broken += tally.broken;
    }
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    std::printf(
        "scenarios %u, cut points %llu, bricked %llu, stuck %llu, unexplained %llu, broken %llu, "
        "seconds %.1f\n",
        ran, static_cast<unsigned long long>(total.cuts),
        static_cast<unsigned long long>(total.bricked),
        static_cast<unsigned long long>(total.stuck),
        static_cast<unsigned long long>(total.unexplained),
        static_cast<unsigned long long>(total.broken), seconds);
    if (ran == 0) return usage();
    return total.broken == 0 && total.cuts != 0 ? 0 : 1;
}
