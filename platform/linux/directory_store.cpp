#include "linux/directory_store.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace ota {
namespace {

constexpr Status unavailable(Detail detail) {
    return {Code::kUnavailable, Origin::kPlatform, detail};
}

// Closes the directory on every way out.
class Directory {
  public:
    explicit Directory(const char* path) : handle_(opendir(path)) {}
    ~Directory() {
        if (handle_ != nullptr) closedir(handle_);
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    bool is_open() const { return handle_ != nullptr; }
    const dirent* next() { return readdir(handle_); }

  private:
    DIR* handle_;
};

bool is_regular(const char* directory, const dirent& entry) {
    FixedString<4095> path(directory);
    path.append("/");
    path.append(entry.d_name);
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

}  // namespace

Status DirectoryStore::host_path(std::string_view path, HostPath& out) const {
    const bool below = path.starts_with(mount_point_) &&
                       (path.size() == mount_point_.size() || path[mount_point_.size()] == '/');
    if (!below || path.find("..") != std::string_view::npos) {
        return unavailable(Detail::kFileNotFound);
    }
    out.assign(directory_);
    out.append(path.substr(mount_point_.size()));
    return {};
}

Status DirectoryStore::list(std::string_view directory, size_t index,
                            FixedString<kMaxFileName>& name) {
    if (access(HostPath(directory_).c_str(), X_OK) != 0) return unavailable(Detail::kMediumAbsent);
    HostPath path;
    OTA_TRY(host_path(directory, path));
    Directory entries(path.c_str());
    if (!entries.is_open()) {
        return unavailable(errno == ENOENT ? Detail::kFileNotFound : Detail::kFileReadError);
    }
    while (const dirent* entry = entries.next()) {
        if (!is_regular(path.c_str(), *entry)) continue;
        if (index-- != 0) continue;
        name.assign(entry->d_name);
        return {};
    }
    return {Code::kEndOfData, Origin::kPlatform};
}

Status DirectoryStore::open(std::string_view path) {
    close();
    if (access(HostPath(directory_).c_str(), X_OK) != 0) return unavailable(Detail::kMediumAbsent);
    const size_t slash = path.rfind('/');
    if (slash == std::string_view::npos) return unavailable(Detail::kFileNotFound);
    FixedString<kMaxFileName> wanted(path.substr(slash + 1));
    FixedString<kMaxFileName> name;
    for (size_t i = 0;; ++i) {
        const Status listed = list(path.substr(0, slash), i, name);
        if (listed.is(Code::kEndOfData)) return unavailable(Detail::kFileNotFound);
        OTA_TRY(listed);
        if (strcasecmp(name.c_str(), wanted.c_str()) == 0) break;
    }
    OTA_TRY(host_path(path.substr(0, slash + 1), open_path_));
    open_path_.append(name.view());
    fd_ = ::open(open_path_.c_str(), O_RDONLY | O_CLOEXEC);
    return fd_ >= 0 ? kOkStatus : unavailable(Detail::kFileReadError);
}

// By path, so that a file that was replaced or a card that was pulled is noticed.
Status DirectoryStore::stat(FileStat& out) {
    struct stat info {};
    if (fd_ < 0 || ::stat(open_path_.c_str(), &info) != 0) {
        return unavailable(Detail::kMediumAbsent);
    }
    out.size = static_cast<uint64_t>(info.st_size);
    out.modified = static_cast<uint64_t>(info.st_mtim.tv_sec) * 1000000000U +
                   static_cast<uint64_t>(info.st_mtim.tv_nsec);
    return {};
}

Result<size_t> DirectoryStore::read_at(uint64_t offset, MutableBytes out) {
    if (fd_ < 0) return unavailable(Detail::kMediumAbsent);
    const ssize_t n = pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
    if (n < 0) return unavailable(Detail::kFileReadError);
    return static_cast<size_t>(n);
}

void DirectoryStore::close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

}  // namespace ota
