// A device that runs 1.0.0 with an HTTPS server that has 1.1.0; virtual time, no sockets.
#pragma once

#include "engine/update_bench.hpp"
#include "sources/https/https_channel.hpp"
#include "sources/https/https_source.hpp"
#include "support/fake_http.hpp"

namespace ota {

struct HttpsBench : Device {
    explicit HttpsBench(const HttpsSource::Config& config = {})
        : https(client, clock, floor, config) {
        source.offered = false;
        extra_source = {&channel, &https};
        put_image(0, make_signed_of_size("1.0.0", kUpdateImageSize, 1));
        client.file = make_signed_of_size("1.1.0", kUpdateImageSize, 2);
    }
    bool download() {
        (void)post(CommandKind::kStartUpdate);
        return run_to(State::kReadyToApply);
    }
    // A check that ends in a rest state or with an offer.
    bool check() {
        (void)post(CommandKind::kCheck);
        step();
        return run_until([&] { return state() != State::kChecking; });
    }
    bool standby_holds(const test::Buffer& file) {
        const size_t at = table().slot(1)->offset;
        return std::equal(file.begin(), file.end(), memory().begin() + static_cast<long>(at));
    }
    size_t requests() const { return client.requests.size(); }

    test::FakeHttpClient client;
    TimeFloor floor;
    HttpsChannel channel{"https://update.example/bess/latest.bin"};
    HttpsSource https;
};

}  // namespace ota
