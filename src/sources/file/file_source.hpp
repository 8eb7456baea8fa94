#pragma once

#include "ports/file_store.hpp"
#include "ports/source.hpp"

namespace ota {

// Reads one package from a card or drive. The package itself is only read; the medium may vanish at
// any time (kUnavailable) and a file that changes while it is read is refused (kFileChanged).
class FileSource final : public Source {
  public:
    explicit FileSource(FileStore& store) : store_(store) {}

    Status start(const Fetch& fetch) override;
    Result<size_t> read(MutableBytes out) override;
    Status info(SourceInfo& out) override;
    Millis retry_after() override { return 0; }
    void close() override { store_.close(); }

  private:
    Status read_sidecar(std::string_view path, std::string_view extension, MutableBytes digest,
                        bool& found);
    Status read_sidecars(std::string_view path);

    FileStore& store_;
    FileStat stat_;
    uint64_t position_ = 0;
    uint64_t end_ = 0;  // of what was asked for
    SourceInfo info_;
};

}  // namespace ota
