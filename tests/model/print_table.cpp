// The constexpr state table as Promela, for update.pml; and as pairs, for the comparison.
#include <cstdio>
#include <cstring>

#include "engine/state_machine.hpp"

namespace {

// ABORTED is the name of an otadata state in the model.
constexpr const char* kNames[ota::kStateCount] = {
    "IDLE",     "CHECKING", "UPDATE_AVAILABLE", "DOWNLOADING", "VERIFYING", "READY_TO_APPLY",
    "APPLYING", "COMPLETE", "REBOOTING",        "FAILED",      "ABORTED_"};

bool may_follow(int from, int to) {
    return ota::may_follow(static_cast<ota::State>(from), static_cast<ota::State>(to));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::strcmp(argv[1], "--pairs") == 0) {
        for (int from = 0; from < ota::kStateCount; ++from) {
            for (int to = 0; to < ota::kStateCount; ++to) {
                if (may_follow(from, to)) std::printf("%s %s\n", kNames[from], kNames[to]);
            }
        }
        return 0;
    }
    for (int i = 0; i < ota::kStateCount; ++i) std::printf("#define %s %d\n", kNames[i], i);
    std::printf("#define MAY_FOLLOW(from, to) (");
    for (int i = 0; i < ota::kStateCount; ++i) {
        std::printf("%s((from) == %d && ((%u >> (to)) & 1))", i == 0 ? "" : " || ", i,
                    static_cast<unsigned>(ota::kTransitions[static_cast<size_t>(i)]));
    }
    std::printf(")\n");
    return 0;
}
