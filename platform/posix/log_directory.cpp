#include "posix/log_directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/text.hpp"

namespace ota {
namespace {

constexpr Status unavailable(Detail detail) {
    return {Code::kUnavailable, Origin::kPlatform, detail};
}

// 0: not one of ours. FAT without long names has them in capitals.
uint32_t number_of(const char* name) {
    constexpr size_t kDigits = 5;
    const std::string_view text(name);
    uint64_t number = 0;
    const bool is_ours = text.size() == 12 && strncasecmp(name, "ota", 3) == 0 &&
                         strcasecmp(name + 8, ".log") == 0 &&
                         parse_decimal(text.substr(3, kDigits), number);
    return is_ours ? static_cast<uint32_t>(number) : 0;
}

// That a name is in it is durable afterwards. FatFs opens no directory and needs none of this: with
// it a file's own fsync(), and mkdir(), write the entry. Nor do those that know no such thing. What
// could not be opened for another reason has to be tried again.
bool sync_directory(const char* path) {
    const int fd = ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno != EMFILE && errno != ENFILE && errno != ENOMEM && errno != EIO;
    const bool is_synced = fsync(fd) == 0 || errno == EINVAL;
    ::close(fd);
    return is_synced;
}

}  // namespace

bool LogDirectory::set_directory(std::string_view directory) {
    const bool is_below =
        directory.starts_with(mount_point_) &&
        (directory.size() == mount_point_.size() || directory[mount_point_.size()] == '/') &&
        directory.find("..") == std::string_view::npos && directory.size() <= kMaxConfiguredPath;
    if (!is_below) return false;
    directory_ = host_directory_;
    return directory_.try_append(directory.substr(mount_point_.size()));
}

bool LogDirectory::is_inserted() const {
    DIR* const root = opendir(host_directory_.c_str());
    if (root == nullptr) return false;
    closedir(root);
    return true;
}

LogDirectory::HostPath LogDirectory::path_of(uint32_t number) const {
    std::array<char, 20> name{};
    std::snprintf(name.data(), name.size(), "/ota%05lu.log", static_cast<unsigned long>(number));
    HostPath path(directory_.view());
    path.append(name.data());
    return path;
}

Status LogDirectory::failure() const {
    return unavailable(is_inserted() ? Detail::kFileWriteError : Detail::kMediumAbsent);
}

// All of the way from the card's root.
bool LogDirectory::make_directory() const {
    const std::string_view path = directory_.view();
    size_t end = host_directory_.view().size();
    while (end < path.size()) {
        end = std::min(path.find('/', end + 1), path.size());
        const HostPath part(path.substr(0, end));
        if (mkdir(part.c_str(), 0755) != 0 && errno != EEXIST) return false;
    }
    return true;
}

// Each directory on the way knows the next one, and the last one the open file.
bool LogDirectory::sync_names() const {
    HostPath path(directory_.view());
    while (true) {
        if (!sync_directory(path.c_str())) return false;
        if (path.view().size() <= host_directory_.view().size()) return true;
        path.truncate(path.view().rfind('/'));
    }
}

Status LogDirectory::range(Range& out) {
    out = {};
    DIR* listing = opendir(directory_.c_str());
    if (listing == nullptr && is_inserted() && make_directory()) {
        listing = opendir(directory_.c_str());
    }
    if (listing == nullptr) return failure();
    errno = 0;  // the only way to tell the end from a failure
    while (const dirent* entry = readdir(listing)) {
        const uint32_t number = number_of(entry->d_name);
        if (number == 0) continue;
        ++out.count;
        if (out.oldest == 0 || number < out.oldest) out.oldest = number;
        if (number > out.newest) out.newest = number;
    }
    const bool at_end = errno == 0;
    closedir(listing);
    return at_end ? kOkStatus : failure();
}

Result<uint32_t> LogDirectory::open(uint32_t number) {
    close();
    fd_ = ::open(path_of(number).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
                 0644);
    struct stat info {};
    if (fd_ < 0 || fstat(fd_, &info) != 0) return failure();
    is_named_ = false;
    return static_cast<uint32_t>(info.st_size);
}

Status LogDirectory::append(Bytes bytes) {
    // A file of a card that was pulled may still take bytes, for nobody.
    if (fd_ < 0 || !is_inserted()) return unavailable(Detail::kMediumAbsent);
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    return written == static_cast<ssize_t>(bytes.size()) ? kOkStatus : failure();
}

Status LogDirectory::sync() {
    if (fd_ < 0 || fsync(fd_) != 0) return failure();
    is_named_ = is_named_ || sync_names();
    return is_named_ ? kOkStatus : failure();
}

Status LogDirectory::remove(uint32_t number) {
    return unlink(path_of(number).c_str()) == 0 ? kOkStatus : failure();
}

Result<size_t> LogDirectory::read(uint32_t number, uint32_t offset, MutableBytes out) {
    const int fd = ::open(path_of(number).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return failure();
    const bool is_there = ::lseek(fd, static_cast<off_t>(offset), SEEK_SET) >= 0;
    const ssize_t count = is_there ? ::read(fd, out.data(), out.size()) : -1;
    ::close(fd);
    if (count < 0) return failure();
    return static_cast<size_t>(count);
}

void LogDirectory::close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

}  // namespace ota
