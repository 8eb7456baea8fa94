#pragma once

#include <dirent.h>

#include "ports/file_store.hpp"

namespace ota {

// Files of a mounted card, by the POSIX calls that Linux and ESP-IDF's VFS have in common. Paths
// below mount_point are looked up in directory, which on a device is the mount point itself. The
// card is inserted when the directory can be opened. Names are found without regard to case, as on
// FAT. Where renaming does not replace (FatFs), a power loss in replace() may leave the new file
// under its name with .new behind it, and no other.
class DirectoryStore final : public FileStore {
  public:
    // Both texts stay the caller's.
    DirectoryStore(std::string_view mount_point, std::string_view directory)
        : mount_point_(mount_point), directory_(directory) {}
    ~DirectoryStore();
    DirectoryStore(const DirectoryStore&) = delete;
    DirectoryStore& operator=(const DirectoryStore&) = delete;

    Status next(std::string_view directory, bool rewind, FixedString<kMaxFileName>& name) override;
    Status open(std::string_view path) override;
    Status stat(FileStat& out) override;
    Result<size_t> read_at(uint64_t offset, MutableBytes out) override;
    void close() override;
    Status replace(std::string_view path, Bytes bytes) override;

  private:
    using HostPath = FixedString<kMaxPath + 255>;  // directory, and the path below it
    bool is_inserted() const;
    bool is_regular(const dirent& entry) const;
    Status host_path(std::string_view path, HostPath& out) const;
    Status find_ignoring_case(std::string_view directory, std::string_view wanted,
                              FixedString<kMaxFileName>& name);
    void close_file();
    void close_listing();

    std::string_view mount_point_;
    std::string_view directory_;
    HostPath open_path_;
    HostPath listed_path_;
    DIR* listing_ = nullptr;
    int fd_ = -1;
};

}  // namespace ota
