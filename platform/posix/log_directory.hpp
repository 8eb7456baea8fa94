#pragma once

#include "base/fixed.hpp"
#include "ports/file_store.hpp"
#include "ports/log_store.hpp"

namespace ota {

// Files ota00001.log … in a directory of a mounted card, by the POSIX calls that Linux and
// ESP-IDF's VFS have in common. What is below mount_point is looked up in host_directory, which on
// a device is the mount point itself.
class LogDirectory final : public LogStore {
  public:
    LogDirectory(std::string_view mount_point, std::string_view host_directory)
        : mount_point_(mount_point), host_directory_(host_directory) {}
    ~LogDirectory() { close(); }
    LogDirectory(const LogDirectory&) = delete;
    LogDirectory& operator=(const LogDirectory&) = delete;

    bool set_directory(std::string_view directory) override;
    Status range(Range& out) override;
    Result<uint32_t> open(uint32_t number) override;
    Status append(Bytes bytes) override;
    Status sync() override;
    Status remove(uint32_t number) override;
    Result<size_t> read(uint32_t number, uint32_t offset, MutableBytes out) override;
    void close() override;

  private:
    using HostPath = FixedString<kMaxPath + 255>;
    bool is_inserted() const;
    HostPath path_of(uint32_t number) const;
    Status failure() const;
    bool make_directory() const;
    bool sync_names() const;

    std::string_view mount_point_;
    HostPath host_directory_;  // here, and not on the task's stack
    HostPath directory_;
    int fd_ = -1;
    bool is_named_ = false;  // its name, and those of the directories above, are durable
};

}  // namespace ota
