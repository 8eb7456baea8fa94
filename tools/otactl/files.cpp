#include "files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
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

namespace {

void write_all(int fd, const Buffer& bytes, const std::string& path) {
    size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t n = write(fd, bytes.data() + done, bytes.size() - done);
        if (n <= 0) throw io_failure("write", path);
        done += static_cast<size_t>(n);
    }
}

// Closes the file, and removes it unless it was handed over.
class Temporary {
  public:
    explicit Temporary(const std::string& beside) : path_(beside + ".XXXXXX") {
        fd_ = mkostemp(path_.data(), O_CLOEXEC);  // mode 0600, never one that is there
        if (fd_ < 0) throw io_failure("write", beside);
    }
    ~Temporary() {
        close(fd_);
        if (!path_.empty()) (void)unlink(path_.c_str());
    }
    Temporary(const Temporary&) = delete;
    Temporary& operator=(const Temporary&) = delete;
    int fd() const { return fd_; }
    void move_to(const std::string& path) {
        if (rename(path_.c_str(), path.c_str()) != 0) throw io_failure("write", path);
        path_.clear();
    }

  private:
    std::string path_;
    int fd_ = -1;
};

}  // namespace

bool exists(const std::string& path) {
    struct stat info {};
    return lstat(path.c_str(), &info) == 0;
}

void write_file(const std::string& path, const Buffer& bytes, bool secret) {
    struct stat info {};
    const bool there = stat(path.c_str(), &info) == 0;
    if (there && !S_ISREG(info.st_mode)) {  // a device, a pipe: written through, not replaced
        const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
        if (fd < 0) throw io_failure("write", path);
        write_all(fd, bytes, path);
        close(fd);
        return;
    }
    std::string target = path;
    if (there) {  // a link stays a link
        std::array<char, PATH_MAX> real{};
        if (realpath(path.c_str(), real.data()) == nullptr) throw io_failure("write", path);
        target = real.data();
    }
    Temporary temporary(target);
    write_all(temporary.fd(), bytes, path);
    const mode_t mask = umask(0);
    (void)umask(mask);
    const mode_t mode = secret ? 0600 : there ? info.st_mode & 0777 : 0666 & ~mask;
    if (fchmod(temporary.fd(), mode) != 0 || fsync(temporary.fd()) != 0)
        throw io_failure("write", path);
    temporary.move_to(target);
}

std::string to_hex(const uint8_t* bytes, size_t size) {
    std::string text;
    for (size_t i = 0; i < size; ++i) text += fmt::format("{:02x}", bytes[i]);
    return text;
}

}  // namespace otactl
