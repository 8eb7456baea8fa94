// Socket calls (socket, connect, send, recv, options, fcntl) and allocations of an HTTPS exchange
// fail once each: an error that says so, or the right bytes; no handle leaks; the same client works
// at the next try.
#include <dirent.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <csignal>

#include "faults/failing_calls.hpp"
#include "linux/clock_real.hpp"
#include "linux/http_curl.hpp"
#include "support/tls_server.hpp"
#include "wire/http_head.hpp"

namespace ota {
namespace {

using faults::Group;

size_t open_handles() {
    size_t count = 0;
    DIR* directory = opendir("/proc/self/fd");
    while (readdir(directory) != nullptr) ++count;
    closedir(directory);
    return count;
}

class FaultBench {
  public:
    FaultBench() {
        server.answer_all(
            {"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\nETag: \"1\"\r\n\r\n" + expected, SIZE_MAX,
             true});
    }
    // A whole exchange on a connection of its own; body and head afterwards as they came.
    Status fetch(CurlHttpClient& client, Group group, size_t failing, size_t& calls) {
        body.clear();
        const std::string url = server.url();
        const HttpTls tls{server.certificate().c_str(), nullptr, nullptr, nullptr, clock.wall()};
        const HttpField field{"Authorization", "Bearer ", "token"};
        HttpHead head;
        faults::fail(group, failing);
        Status status = client.start({url.c_str(), {&field, 1}, tls}, head);
        const time_t deadline = time(nullptr) + 20;
        const auto more = [&] {
            return (status.ok() || status.is(Code::kTryAgain)) && time(nullptr) < deadline;
        };
        while (more()) {
            status = client.await_head();
            if (status.ok()) break;
            if (status.is(Code::kTryAgain)) usleep(200);
        }
        std::array<uint8_t, 4096> buffer;
        while (more()) {
            const Result<size_t> n = client.read(buffer);
            status = n.status();
            if (!n.ok()) break;
            if (*n == 0) usleep(200);
            // What the test itself allocates must not fail.
            const size_t before = faults::stop();
            body.insert(body.end(), buffer.begin(), buffer.begin() + static_cast<long>(*n));
            faults::fail(group, failing > before ? failing - before : 0);
            calls_before_ += before;
        }
        calls = calls_before_ + faults::stop();
        calls_before_ = 0;
        return status;
    }
    bool is_whole() const { return body == expected; }

    test::TlsServer server;
    RealClock clock;
    std::string body;
    const std::string expected = std::string(20000, 'x');

  private:
    size_t calls_before_ = 0;
};

// Calls of one exchange by a client of its own. Twice: libraries set things up in their first.
size_t count_calls(FaultBench& bench, Group group) {
    size_t calls = 0;
    for (int i = 0; i < 2; ++i) {
        CurlHttpClient client;
        EXPECT_TRUE(bench.fetch(client, group, 0, calls).is(Code::kEndOfData));
        EXPECT_TRUE(bench.is_whole());
    }
    return calls;
}

enum class Verdict { kWell, kTold, kWrong };

// The n-th call fails; then the same client has to work.
Verdict try_one(FaultBench& bench, CurlHttpClient& client, Group group, size_t n) {
    size_t unused = 0;
    const Status status = bench.fetch(client, group, n, unused);
    const bool well = status.is(Code::kEndOfData) && bench.is_whole();
    const bool told = status.is(Code::kUnavailable) || status.is(Code::kRefused) ||
                      status.is(Code::kUntrusted) || status.is(Code::kUnauthenticated);
    const Status again = bench.fetch(client, group, 0, unused);
    if (!again.is(Code::kEndOfData) || !bench.is_whole()) return Verdict::kWrong;
    return well ? Verdict::kWell : told ? Verdict::kTold : Verdict::kWrong;
}

TEST(HttpFault, EverySocketCall) {
    FaultBench bench;
    const size_t calls = count_calls(bench, Group::kSocket);
    ASSERT_GT(calls, 10U);
    CurlHttpClient client;
    size_t unused = 0;
    (void)bench.fetch(client, Group::kSocket, 0, unused);
    const size_t handles = open_handles();
    size_t told = 0;
    for (size_t n = 1; n <= calls; ++n) {
        const Verdict verdict = try_one(bench, client, Group::kSocket, n);
        EXPECT_NE(verdict, Verdict::kWrong) << n;
        if (verdict == Verdict::kTold) ++told;
    }
    EXPECT_GT(told, 3U);
    client.close();
    EXPECT_LE(open_handles(), handles + 2);  // connections that stay
    std::printf("socket calls %zu, told %zu\n", calls, told);
}

extern "C" char __executable_start;
extern "C" char etext;
constexpr int kCrashedHere = 98;
constexpr int kCrashedInLibrary = 99;

void on_crash(int signal, siginfo_t*, void* context) {
    const auto at =
        static_cast<uintptr_t>(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
    const bool ours = at >= reinterpret_cast<uintptr_t>(&__executable_start) &&
                      at < reinterpret_cast<uintptr_t>(&etext);
    const bool here = ours || signal == SIGABRT;
    _exit(here ? kCrashedHere : kCrashedInLibrary);
}

// In a process of its own, because libcurl 7.88 itself does not survive the failure of a few
// allocations (a division by the zero slots of a hash that was destroyed).
int try_in_child(FaultBench& bench, size_t n) {
    const pid_t child = fork();
    if (child == 0) {
        struct sigaction action {};
        action.sa_sigaction = on_crash;
        action.sa_flags = SA_SIGINFO;
        for (const int signal : {SIGSEGV, SIGFPE, SIGABRT, SIGBUS}) {
            sigaction(signal, &action, nullptr);
        }
        CurlHttpClient client;
        _exit(static_cast<int>(try_one(bench, client, Group::kAllocation, n)));
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : kCrashedHere;
}

TEST(HttpFault, Allocations) {
    FaultBench bench;
    const size_t calls = count_calls(bench, Group::kAllocation);
    ASSERT_GT(calls, 100U);
    const size_t stride = std::max<size_t>(1, calls / 600);
    size_t told = 0;
    size_t crashes = 0;
    for (size_t n = 1; n <= calls; n += stride) {
        const int verdict = try_in_child(bench, n);
        if (verdict == static_cast<int>(Verdict::kTold)) ++told;
        if (verdict == kCrashedInLibrary) ++crashes;
        EXPECT_NE(verdict, static_cast<int>(Verdict::kWrong)) << n;
        EXPECT_NE(verdict, kCrashedHere) << n;
    }
    EXPECT_GT(told, 100U);
    EXPECT_LT(crashes, 10U);
    std::printf("allocations %zu, one of %zu failed, told %zu, crashes of a library %zu\n", calls,
                stride, told, crashes);
}

}  // namespace
}  // namespace ota
