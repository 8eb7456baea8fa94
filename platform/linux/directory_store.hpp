#pragma once

#include "ports/file_store.hpp"

namespace ota {

// A host directory in the place of a mounted card: paths below mount_point are looked up in it. The
// card is inserted when the directory exists. Names are found without regard to case, as on FAT.
class DirectoryStore final : public FileStore {
  public:
    // Both texts stay the caller's.
    DirectoryStore(std::string_view mount_point, std::string_view directory)
        : mount_point_(mount_point), directory_(directory) {}
    ~DirectoryStore() { close(); }
    DirectoryStore(const DirectoryStore&) = delete;
    DirectoryStore& operator=(const DirectoryStore&) = delete;

    Status list(std::string_view directory, size_t index, FixedString<kMaxFileName>& name) override;
    Status open(std::string_view path) override;
    Status stat(FileStat& out) override;
    Result<size_t> read_at(uint64_t offset, MutableBytes out) override;
    void close() override;

  private:
    using HostPath = FixedString<4095>;
    Status host_path(std::string_view path, HostPath& out) const;

    std::string_view mount_point_;
    std::string_view directory_;
    HostPath open_path_;
    int fd_ = -1;
};

}  // namespace ota
