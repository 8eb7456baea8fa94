// View of a removable file system (SD card, USB drive) at its mount point.
#pragma once

#include "base/bytes.hpp"
#include "base/fixed.hpp"
#include "base/status.hpp"

namespace ota {

inline constexpr size_t kMaxFileName = 255;  // FAT long file name, UTF-8 bytes counted

// Directory, file and the longest extension of ours; what a configuration may name leaves room for
// all three (api/source_check, log_check). Paths lie on the engine's stack, which is why they are
// no longer.
inline constexpr size_t kMaxPath = 512;
inline constexpr size_t kMaxConfiguredPath = 240;

struct FileStat {
    uint64_t size = 0;
    uint64_t modified = 0;  // in the store's own unit; only compared for equality
    bool operator==(const FileStat&) const = default;
};

// One file open at a time; engine context. Absent medium: kUnavailable / kMediumAbsent. Missing
// file: kUnavailable / kFileNotFound. I/O error: kUnavailable / kFileReadError.
class FileStore {
  public:
    // Names the next regular file of directory, the first one if rewind; kEndOfData after the last.
    virtual Status next(std::string_view directory, bool rewind,
                        FixedString<kMaxFileName>& name) = 0;
    // Names are compared as the medium's file system does; on FAT without regard to case.
    virtual Status open(std::string_view path) = 0;
    // Of the open file, asked from the medium again each time.
    virtual Status stat(FileStat& out) = 0;
    // May be short only at the end of the file.
    virtual Result<size_t> read_at(uint64_t offset, MutableBytes out) = 0;
    // Ends a listing, too: afterwards nothing of the medium is in use, and it may be unmounted.
    virtual void close() = 0;
    // Replaces or makes a small file; the open one stays open. kUnavailable / kFileWriteError when
    // the medium is write-protected or full. After a power loss the file before or the new one; on
    // a file system whose renaming does not replace, perhaps the new one behind ".new".
    virtual Status replace(std::string_view path, Bytes bytes) = 0;

  protected:
    ~FileStore() = default;
};

}  // namespace ota
