#pragma once

#include "ports/file_store.hpp"
#include "ports/update_record.hpp"

namespace ota {

// Announces the update files of a card or drive: the configured path, whose last part may be a
// pattern. Of several matches the naturally greatest name comes first (bess-1.10.0 before
// bess-1.9.0); what is not admitted is followed by the next.
class FileChannel final : public Channel {
  public:
    // path: mount point, directories, file name or pattern; stays the caller's.
    FileChannel(FileStore& store, std::string_view path);

    Result<bool> poll(Offer& offer) override;
    void rewind() override { offered_ = 0; }
    bool arrived() override;
    // Into <package>.result.json, if the medium can be written.
    void refused(Status) override {}
    void report(const Report& report) override;

  private:
    // A directory with more entries is read so far and no further.
    static constexpr size_t kMaxEntries = 10000;
    static constexpr size_t kMaxOffers = 16;

    bool is_package_name(std::string_view name) const;
    Result<bool> find_next();
    bool find_reported(const Digest& build_id);
    bool look_for_reported(const Digest& build_id);
    bool speaks_of(std::string_view build_id);

    FileStore& store_;
    std::string_view directory_;
    std::string_view wanted_;
    FixedString<kMaxFileName> previous_;  // offered last
    FixedString<kMaxFileName> candidate_;
    FixedString<kMaxPath> path_;  // of the package in hand
    size_t offered_ = 0;
    bool present_ = false;
    bool looked_ = false;
};

}  // namespace ota
