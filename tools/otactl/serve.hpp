#pragma once

#include <string>
#include <vector>

#include "files.hpp"

namespace otactl {

// A bench server: nginx over TLS with a certificate of its own. The server is nginx; what is here
// is its configuration.
struct BenchServer {
    std::string directory;              // what is served
    std::string state = ".bess-serve";  // certificate, key, configuration, logs
    std::string listen = "127.0.0.1";   // address
    uint16_t port = 8443;               // TCP
    std::vector<std::string> names;     // further host names and addresses of the certificate
    std::string rate;                   // bytes a second as nginx writes them, "200k"; "" = all
    std::string nginx = "nginx";        // program
};

// Writes certificate (kept when it is there and fits the names), key and configuration into the
// state folder.
void prepare(BenchServer& server);
std::string configuration(const BenchServer& server);
std::string url(const BenchServer& server);
std::string certificate_path(const BenchServer& server);

// Becomes nginx; returns only by a Failure.
[[noreturn]] void run(const BenchServer& server);

}  // namespace otactl
