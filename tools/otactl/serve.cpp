#include "serve.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

namespace otactl {
namespace {

namespace fs = std::filesystem;

constexpr long kValidDays = 825;  // the longest that browsers take (CA/Browser Forum, ballot SC-22)

struct Free {
    void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
    void operator()(X509* p) const { X509_free(p); }
    void operator()(X509_EXTENSION* p) const { X509_EXTENSION_free(p); }
    void operator()(BIO* p) const { BIO_free(p); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

bool is_address(const std::string& name) {
    std::array<uint8_t, 16> bytes{};
    return inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 ||
           inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
}

bool is_host_name(const std::string& name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '.';
    });
}

// subjectAltName as OpenSSL's configuration writes it.
std::string alternative_names(const BenchServer& server) {
    std::vector<std::string> names = {"localhost", "127.0.0.1", server.listen};
    names.insert(names.end(), server.names.begin(), server.names.end());
    std::string out;
    for (size_t i = 0; i < names.size(); ++i) {
        if (std::find(names.begin(), names.begin() + static_cast<long>(i), names[i]) !=
            names.begin() + static_cast<long>(i)) {
            continue;
        }
        if (!is_address(names[i]) && !is_host_name(names[i])) {
            throw Failure(Exit::kUsage, "--name: a host name or an address");
        }
        out += fmt::format("{}{}:{}", out.empty() ? "" : ",", is_address(names[i]) ? "IP" : "DNS",
                           names[i]);
    }
    return out;
}

template <typename Write>
Buffer to_pem(Write write) {
    const Owned<BIO> memory(BIO_new(BIO_s_mem()));
    if (!memory || write(memory.get()) != 1) throw Failure(Exit::kIo, "OpenSSL can't write PEM");
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(memory.get(), &bytes);
    return {bytes, bytes + size};
}

void require_ssl(bool ok, const char* what) {
    if (!ok) throw Failure(Exit::kUsage, fmt::format("the certificate can't be made: {}", what));
}

Owned<X509> make_certificate(EVP_PKEY* key, const std::string& names) {
    Owned<X509> certificate(X509_new());
    X509* x = certificate.get();
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -86400);  // the device's clock may be a little late
    X509_gmtime_adj(X509_getm_notAfter(x), kValidDays * 86400);
    X509_set_pubkey(x, key);
    X509_NAME* subject = X509_get_subject_name(x);
    const auto* text = reinterpret_cast<const unsigned char*>("bess-ota bench server");
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, text, -1, -1, 0);
    X509_set_issuer_name(x, subject);
    const Owned<X509_EXTENSION> extension(
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str()));
    require_ssl(extension && X509_add_ext(x, extension.get(), -1) == 1, "--name");
    require_ssl(X509_sign(x, key, EVP_sha256()) != 0, "signing failed");
    return certificate;
}

// Certificate and key are there, belong together, and are good for another month.
bool is_good_pair(const BenchServer& server) {
    const auto read = [](const std::string& path) {
        return Owned<BIO>(BIO_new_file(path.c_str(), "r"));
    };
    const Owned<BIO> certificate_file = read(certificate_path(server));
    const Owned<BIO> key_file = read(server.state + "/server.key");
    if (!certificate_file || !key_file) return false;
    const Owned<X509> certificate(
        PEM_read_bio_X509(certificate_file.get(), nullptr, nullptr, nullptr));
    const Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(key_file.get(), nullptr, nullptr, nullptr));
    time_t next_month = time(nullptr) + 30L * 86400;
    return certificate && key && X509_check_private_key(certificate.get(), key.get()) == 1 &&
           X509_cmp_time(X509_get0_notAfter(certificate.get()), &next_month) > 0;
}

void write_certificate(const BenchServer& server) {
    const std::string names = alternative_names(server);
    const std::string list = server.state + "/names";
    if (exists(list) && read_text(list) == names && is_good_pair(server)) return;
    const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
    require_ssl(key != nullptr, "no key");
    const Owned<X509> certificate = make_certificate(key.get(), names);
    write_file(server.state + "/server.key", to_pem([&](BIO* out) {
                   return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr,
                                                   nullptr);
               }),
               true);
    write_file(certificate_path(server),
               to_pem([&](BIO* out) { return PEM_write_bio_X509(out, certificate.get()); }));
    write_file(list, Buffer(names.begin(), names.end()));
}

// Paths go into a quoted string of nginx's language.
void check_path(const std::string& path) {
    const bool bad = std::any_of(path.begin(), path.end(), [](char c) {
        return static_cast<unsigned char>(c) < ' ' || c == '"' || c == '\\' || c == '$';
    });
    if (bad) throw Failure(Exit::kUsage, path + ": nginx can't be given this path; rename it");
}

void check_rate(const std::string& rate) {
    const size_t digits = rate.find_first_not_of("0123456789");
    const bool good = rate.empty() || digits == std::string::npos ||
                      (digits != 0 && (rate.substr(digits) == "k" || rate.substr(digits) == "m"));
    if (!good) throw Failure(Exit::kUsage, "--rate: bytes a second, as 200k or 2m");
}

// An address as URLs and nginx write it.
std::string host_text(const std::string& address) {
    return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

}  // namespace

std::string url(const BenchServer& server) {
    const bool any = server.listen == "0.0.0.0" || server.listen == "::";
    return fmt::format("https://{}:{}/", any ? "localhost" : host_text(server.listen), server.port);
}

std::string certificate_path(const BenchServer& server) {
    return server.state + "/server.pem";
}

std::string configuration(const BenchServer& server) {
    std::string temporary;
    for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
        temporary += fmt::format("  {0}_temp_path \"{1}/{0}\";\n", kind, server.state);
    }
    // A socket, as service managers give, can't be opened by name.
    const int out = open("/dev/stdout", O_WRONLY | O_CLOEXEC);
    const std::string access = out < 0 ? "off" : "/dev/stdout bench";
    if (out >= 0) (void)close(out);
    return fmt::format(
        R"(# Written by otactl serve.
daemon off;
master_process off;
pid "{state}/pid";
error_log stderr notice;
events {{ worker_connections 64; }}
http {{
{temporary}  default_type application/octet-stream;
  log_format bench '$time_local $remote_addr $status $body_bytes_sent B "$request" $http_range';
  access_log {access};
  server {{
    listen {listen}:{port} ssl;
    ssl_certificate "{state}/server.pem";
    ssl_certificate_key "{state}/server.key";
    ssl_protocols TLSv1.2 TLSv1.3;
    root "{root}";
    autoindex on;
    location ~ /\. {{ return 404; }}
    location ~ \.(key|pem)$ {{ return 404; }}
{rate}  }}
}}
)",
        fmt::arg("state", server.state), fmt::arg("access", access),
        fmt::arg("temporary", temporary), fmt::arg("listen", host_text(server.listen)),
        fmt::arg("port", server.port), fmt::arg("root", server.directory),
        fmt::arg("rate",
                 server.rate.empty() ? "" : fmt::format("    limit_rate {};\n", server.rate)));
}

void prepare(BenchServer& server) {
    std::error_code error;
    server.directory = fs::canonical(server.directory, error).string();
    if (error || !fs::is_directory(server.directory)) {
        throw Failure(Exit::kIo, "DIR is not a directory that can be read");
    }
    fs::create_directories(server.state, error);
    server.state = fs::canonical(server.state, error).string();
    if (error) throw Failure(Exit::kIo, "the folder for --state can't be made: " + error.message());
    check_path(server.directory);
    check_path(server.state);
    check_rate(server.rate);
    if (!is_address(server.listen)) throw Failure(Exit::kUsage, "--listen: an IP address");
    write_certificate(server);
    const std::string text = configuration(server);
    write_file(server.state + "/nginx.conf", Buffer(text.begin(), text.end()));
}

void run(const BenchServer& server) {
    const std::string file = server.state + "/nginx.conf";
    std::vector<std::string> candidates = {server.nginx};
    if (server.nginx == "nginx") candidates.emplace_back("/usr/sbin/nginx");  // not in every PATH
    for (const std::string& program : candidates) {
        execlp(program.c_str(), program.c_str(), "-p", server.state.c_str(), "-e", "stderr", "-c",
               file.c_str(), static_cast<char*>(nullptr));
    }
    throw Failure(Exit::kIo,
                  fmt::format("nginx can't be started ({}): install it (Debian: apt install "
                              "nginx-light), or give its path with --nginx.\n"
                              "Its configuration is in {}",
                              std::strerror(errno), file));
}

}  // namespace otactl
