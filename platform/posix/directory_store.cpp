#include "posix/directory_store.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace ota {
namespace {

constexpr Status unavailable(Detail detail) {
    return {Code::kUnavailable, Origin::kPlatform, detail};
}

}  // namespace

bool DirectoryStore::is_inserted() const {
    DIR* const root = opendir(HostPath(directory_).c_str());
    if (root == nullptr) return false;
    closedir(root);
    return true;
}

// FatFs tells the type of each entry; other file systems may not, or have links.
bool DirectoryStore::is_regular(const dirent& entry) const {
    if (entry.d_type == DT_REG || entry.d_type == DT_DIR) return entry.d_type == DT_REG;
    HostPath path(listed_path_);
    struct stat info {};
    const bool fits = path.try_append("/") && path.try_append(entry.d_name);
    return fits && ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

Status DirectoryStore::host_path(std::string_view path, HostPath& out) const {
    const bool below = path.starts_with(mount_point_) &&
                       (path.size() == mount_point_.size() || path[mount_point_.size()] == '/');
    if (!below || path.find("..") != std::string_view::npos) {
        return unavailable(Detail::kFileNotFound);
    }
    out.assign(directory_);
    return out.try_append(path.substr(mount_point_.size())) ? kOkStatus
                                                            : unavailable(Detail::kFileNotFound);
}

DirectoryStore::~DirectoryStore() {
    close();
}

void DirectoryStore::close_listing() {
    if (listing_ != nullptr) closedir(listing_);
    listing_ = nullptr;
}

Status DirectoryStore::next(std::string_view directory, bool rewind,
                            FixedString<kMaxFileName>& name) {
    if (rewind) {
        close_listing();
        if (!is_inserted()) return unavailable(Detail::kMediumAbsent);
        OTA_TRY(host_path(directory, listed_path_));
        listing_ = opendir(listed_path_.c_str());
    }
    if (listing_ == nullptr) {
        return unavailable(errno == ENOENT ? Detail::kFileNotFound : Detail::kFileReadError);
    }
    const dirent* entry = nullptr;
    do {
        errno = 0;  // the only way to tell the end from a failure
        entry = readdir(listing_);
    } while (entry != nullptr && !is_regular(*entry));
    if (entry != nullptr) {
        name.assign(entry->d_name);
        return {};
    }
    const bool at_end = errno == 0;
    close_listing();
    return at_end ? Status{Code::kEndOfData, Origin::kPlatform}
                  : unavailable(is_inserted() ? Detail::kFileReadError : Detail::kMediumAbsent);
}

Status DirectoryStore::find_ignoring_case(std::string_view directory, std::string_view wanted,
                                          FixedString<kMaxFileName>& name) {
    const FixedString<kMaxFileName> text(wanted);
    for (bool first = true;; first = false) {
        const Status status = next(directory, first, name);
        if (status.is(Code::kEndOfData)) return unavailable(Detail::kFileNotFound);
        OTA_TRY(status);
        if (strcasecmp(name.c_str(), text.c_str()) != 0) continue;
        close_listing();
        return {};
    }
}

Status DirectoryStore::open(std::string_view path) {
    close_file();
    if (!is_inserted()) return unavailable(Detail::kMediumAbsent);
    OTA_TRY(host_path(path, open_path_));
    struct stat info {};
    if (::stat(open_path_.c_str(), &info) != 0) {
        const size_t slash = path.rfind('/');
        if (slash == std::string_view::npos) return unavailable(Detail::kFileNotFound);
        FixedString<kMaxFileName> name;
        OTA_TRY(find_ignoring_case(path.substr(0, slash), path.substr(slash + 1), name));
        OTA_TRY(host_path(path.substr(0, slash + 1), open_path_));
        open_path_.append(name.view());
    }
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

// Written aside, made durable, then renamed: never half a file.
Status DirectoryStore::replace(std::string_view path, Bytes bytes) {
    HostPath target;
    OTA_TRY(host_path(path, target));
    HostPath aside = target;
    if (!aside.try_append(".new")) return unavailable(Detail::kFileWriteError);
    const int fd =
        ::open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0) return unavailable(Detail::kFileWriteError);
    const bool written =
        ::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
        fsync(fd) == 0;
    const bool closed = ::close(fd) == 0;
    const auto rename_it = [&] { return rename(aside.c_str(), target.c_str()) == 0; };
    if (written && closed && rename_it()) return {};
    const bool in_the_way = written && closed && errno == EEXIST;
    if (in_the_way && unlink(target.c_str()) == 0) {
        return rename_it() ? kOkStatus : unavailable(Detail::kFileWriteError);
    }
    (void)unlink(aside.c_str());
    return unavailable(Detail::kFileWriteError);
}

void DirectoryStore::close() {
    close_file();
    close_listing();
}

void DirectoryStore::close_file() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

}  // namespace ota
