#include "support/small_harness.hpp"

namespace small_harness {

int run_all() {
    unsigned passed = 0;
    unsigned failed = 0;
    for (Test* test = registry.first; test != nullptr; test = test->next) {
        registry.failures_of_current = 0;
        test->run();
        const bool ok = registry.failures_of_current == 0;
        ++(ok ? passed : failed);
        if (!ok) std::printf("FAILED %s.%s\n", test->suite, test->name);
    }
    std::printf("%u passed, %u failed\n", passed, failed);
    return failed == 0 && passed != 0 ? 0 : 1;
}

}  // namespace small_harness
