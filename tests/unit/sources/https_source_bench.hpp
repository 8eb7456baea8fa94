// An HTTPS source with its server in memory.
#pragma once

#include "linux/clock_virtual.hpp"
#include "sources/https/https_source.hpp"
#include "support/fake_http.hpp"
#include "support/test.hpp"

namespace ota {

using test::Buffer;
using test::http_answer;
using test::HttpAnswer;

inline constexpr const char* kUrl = "https://update.example/bess/latest.bin";

struct HttpsSourceBench {
    explicit HttpsSourceBench(const HttpsSource::Config& config = {})
        : source(client, clock, floor, config) {
        client.file.resize(10000);
        for (size_t i = 0; i < client.file.size(); ++i) {
            client.file[i] = static_cast<uint8_t>(i * 7 + i / 251);
        }
    }

    // Everything from offset on, or the failure in `end`; what came before it stays in `got`.
    Status fetch(uint64_t offset = 0, uint64_t length = kToEnd, size_t chunk = 1000,
                 const char* url = kUrl) {
        got.clear();
        const Status started =
            source.start({{url}, offset, length, {known.begin(), known.size()}, foreign});
        if (!started.ok()) return started;
        Buffer buffer(chunk);
        for (int i = 0; i < 100000; ++i) {
            const Result<size_t> n = source.read(buffer);
            if (n.ok()) {
                got.insert(got.end(), buffer.begin(), buffer.begin() + static_cast<long>(*n));
            } else if (!n.status().is(Code::kTryAgain)) {
                return n.status();
            }
        }
        return {Code::kInternal, Origin::kNone};
    }
    bool got_file_from(size_t offset) const {
        return got == Buffer(client.file.begin() + static_cast<long>(offset), client.file.end());
    }
    SourceInfo info() {
        SourceInfo out;
        (void)source.info(out);
        return out;
    }

    VirtualClock clock;
    TimeFloor floor;
    test::FakeHttpClient client;
    HttpsSource source;
    FixedVector<Validator, 2> known;
    bool foreign = false;  // the URL is a package's word
    Buffer got;
};

}  // namespace ota
