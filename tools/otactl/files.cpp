#include "files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace otactl {
namespace {

constexpr off_t kMaxFile = 256L * 1024 * 1024;

Failure io_failure(const std::string& verb, const std::string& path) {
    return Failure(Exit::kIo, fmt::format("can't {} {}: {}", verb, path, std::strerror(errno)));
}

}  // namespace

Buffer read_file(const std::string& path) {
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) throw io_failure("read", path);
    if (S_ISDIR(info.st_mode)) throw Failure(Exit::kIo, path + " is a directory");
    if (info.st_size > kMaxFile) throw Failure(Exit::kMalformed, path + " is larger than 256 MiB");
    std::ifstream file(path, std::ios::binary);
    Buffer bytes(static_cast<size_t>(info.st_size));
    if (!file.read(reinterpret_cast<char*>(bytes.data()), info.st_size))
        throw io_failure("read", path);
    return bytes;
}

std::string read_text(const std::string& path) {
    const Buffer bytes = read_file(path);
    return {bytes.begin(), bytes.end()};
}

void write_file(const std::string& path, const Buffer& bytes, bool secret) {
    const std::string temporary = path + ".tmp";
    const int fd =
        open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, secret ? 0600 : 0644);
    if (fd < 0) throw io_failure("write", path);
    size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t n = write(fd, bytes.data() + done, bytes.size() - done);
        if (n <= 0) break;
        done += static_cast<size_t>(n);
    }
    const bool written = done == bytes.size() && fsync(fd) == 0;
    close(fd);
    if (!written || rename(temporary.c_str(), path.c_str()) != 0) {
        const Failure failure = io_failure("write", path);
        (void)unlink(temporary.c_str());
        throw failure;
    }
}

std::string to_hex(const uint8_t* bytes, size_t size) {
    std::string text;
    for (size_t i = 0; i < size; ++i) text += fmt::format("{:02x}", bytes[i]);
    return text;
}

}  // namespace otactl
