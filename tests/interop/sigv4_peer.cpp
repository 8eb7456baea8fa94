// Signs an HTTP request that comes on standard input, for the judges of test_sigv4.py: prints the
// canonical request, a line "--", and the value of Authorization.
#include <psa/crypto.h>

#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "wire/sigv4.hpp"

namespace {

class PrintSink final : public ota::TextSink {
  public:
    void add(std::string_view piece) override { std::cout << piece; }
};

std::string take_line(std::string& rest) {
    const size_t end = rest.find('\n');
    std::string line = rest.substr(0, end);
    rest = end == std::string::npos ? "" : rest.substr(end + 1);
    if (line.ends_with('\r')) line.pop_back();
    return line;
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 6) {
        std::fprintf(stderr, "usage: sigv4_peer DATE REGION SERVICE KEY-ID SECRET < request\n");
        return 2;
    }
    (void)psa_crypto_init();
    std::string rest((std::istreambuf_iterator<char>(std::cin)), {});
    const std::string first = take_line(rest);
    const size_t target = first.find(' ') + 1;
    const std::string where = first.substr(target, first.rfind(' ') - target);
    const size_t mark = where.find('?');
    const std::string method = first.substr(0, target - 1);
    const std::string path = where.substr(0, mark);
    const std::string query = mark == std::string::npos ? "" : where.substr(mark + 1);
    std::vector<std::pair<std::string, std::string>> lines;
    for (std::string line = take_line(rest); !line.empty(); line = take_line(rest)) {
        if (line.front() == ' ') {  // obs-fold, RFC 9112 5.2
            lines.back().second += '\n' + line;
            continue;
        }
        const size_t colon = line.find(':');
        lines.emplace_back(line.substr(0, colon), line.substr(colon + 1));
    }
    std::vector<ota::SigV4Field> fields;
    for (const auto& [name, value] : lines) fields.push_back({name, value});
    const ota::Bytes body = ota::as_bytes(rest);
    const ota::SigV4Request request{method, path, query, fields, {&body, 1}};
    PrintSink print;
    ota::SigV4Text authorization;
    if (!ota::write_canonical_request(request, print).ok() ||
        !ota::sign_sigv4(request, {arguments[1], arguments[2], arguments[3]},
                         {arguments[4], arguments[5]}, authorization)
             .ok()) {
        std::fprintf(stderr, "sigv4_peer: refused\n");
        return 1;
    }
    std::cout << "\n--\n" << authorization.view() << "\n";
    return 0;
}
