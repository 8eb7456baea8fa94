// Numbered text files in a directory of a medium that may vanish at any moment.
#pragma once

#include "base/bytes.hpp"
#include "base/status.hpp"

namespace ota {

inline constexpr uint32_t kMaxLogFile = 99999;  // ota99999.log: a name of 8.3 characters

// Context of the log's task; may take as long as the medium does. kUnavailable / kMediumAbsent: it
// is not there; kUnavailable / kFileWriteError: it is full, write-protected or broken.
class LogStore {
  public:
    struct Range {
        uint32_t oldest = 0;  // 0: no file
        uint32_t newest = 0;
        uint32_t count = 0;
    };
    // Where they are, before anything else; text as in a configuration: /sdcard/log. It is made
    // when the medium is there and it is not. False: it is not on this medium.
    virtual bool set_directory(std::string_view directory) = 0;
    // The numbers of the files that are there.
    virtual Status range(Range& out) = 0;
    // Opens a file to be lengthened, making it if need be; what was open is closed. Its length.
    virtual Result<uint32_t> open(uint32_t number) = 0;
    // All of bytes or a failure; what of them is in the file after a power loss is not said.
    virtual Status append(Bytes bytes) = 0;
    // Afterwards a power loss takes nothing of what was appended.
    virtual Status sync() = 0;
    virtual Status remove(uint32_t number) = 0;
    // Bytes of a file from offset on; 0: it has no more. It need not be the one that is open.
    virtual Result<size_t> read(uint32_t number, uint32_t offset, MutableBytes out) = 0;
    // Nothing of the medium is in use any more.
    virtual void close() = 0;

  protected:
    ~LogStore() = default;
};

}  // namespace ota
