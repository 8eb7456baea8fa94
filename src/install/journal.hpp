#pragma once

#include "ports/flash.hpp"
#include "ports/update_record.hpp"

namespace ota {

// The update records in the ota_journal partition; format: docs/flash-layout.md.
//
// Append-only over a ring of sectors. A record that was torn by a power loss equals one that was
// never written; nothing is rewritten in place. A sector in a format of another major version is
// left alone for the firmware that wrote it.
class Journal final : public UpdateLog {
  public:
    explicit Journal(Flash& flash) : flash_(flash) {}

    // Finds the latest records. kStorage / kJournalAbsent if the partition is too small. A blank or
    // damaged partition is an empty journal, not an error.
    Status open();

    const UpdateRecord& update() const override { return update_; }
    const ConfirmedRecord& confirmed() const override { return confirmed_; }
    const RejectedBuilds& rejected() const override { return rejected_; }
    const SeenRecord& seen() const override { return seen_; }
    const AttemptRecord& attempt() const override { return attempt_; }
    bool attempt_is_newer() const override {
        return number_[static_cast<size_t>(Type::kAttempt)] >
               number_[static_cast<size_t>(Type::kUpdate)];
    }
    const RevokedKeys& revoked() const override { return revoked_; }
    const Pairings& pairings() const override { return pairings_; }
    const PartRecords& parts() const override { return parts_; }
    const JobRecord& job() const override { return job_; }
    const RemoteSettings& remote_settings() const override { return remote_settings_; }
    UnixTime known_time() const override { return known_time_; }

    Status save(const UpdateRecord& record) override;
    Status save(const ConfirmedRecord& record) override;
    Status save(const SeenRecord& record) override;
    Status save(const AttemptRecord& record) override;
    Status save(const RevokedKeys& keys) override;
    Status save(const Pairings& pairings) override;
    Status save(const PartRecords& parts) override;
    Status save(const JobRecord& job) override;
    Status save(const RemoteSettings& settings) override;
    Status reject(const RejectedBuild& build) override;
    Status save_time(UnixTime now) override;

    // For inspection: how many records open() accepted, and bytes it skipped as damaged.
    uint32_t record_count() const { return record_count_; }
    uint32_t damaged_bytes() const { return damaged_bytes_; }

  private:
    enum class Type : uint8_t {
        kUpdate = 1,
        kConfirmed = 2,
        kRejected = 3,
        kSeen = 4,
        kTime = 5,
        kAttempt = 6,
        kRevoked = 7,
        kPairings = 8,
        kParts = 9,
        kJob = 10,
        kRemoteSettings = 11,
    };
    static constexpr size_t kTypes = 12;  // index by Type; 0 is not used
    // Records of types that a newer firmware wrote are carried along, not understood.
    static constexpr size_t kCarried = 16;
    static constexpr uint32_t kMaxSectors = 16;
    static constexpr uint32_t kHeaderSize = 16;
    static constexpr uint32_t kMaxPayload = 224;
    static constexpr uint32_t kMaxRecord = kHeaderSize + kMaxPayload;
    // Room that these are counted with; a whole number of write units.
    static constexpr uint32_t kTimePayload = 16;
    static constexpr uint32_t kRemoteSettingsPayload = 64;
    static_assert(kMaxRecord % 16 == 0);  // records fill whole units

    enum class SectorKind : uint8_t { kFree, kOurs, kForeign };
    struct Sector {
        SectorKind kind = SectorKind::kFree;
        uint32_t generation = 0;
    };

    void forget();
    Status read_sector_header(uint32_t index);
    Status replay(uint32_t index);
    Result<uint32_t> replay_record(uint32_t address, uint32_t room);
    Status read_crc(uint32_t address, uint32_t length, uint32_t& crc);
    void decode(Type type, Bytes payload);
    template <typename Self, typename Visitor>
    static void visit(Self& self, Type type, Visitor visitor);
    size_t encode(Type type, MutableBytes out) const;

    template <typename Value>
    Status replace(Type type, Value& current, const Value& value);
    Status append(Type type);
    Status append_raw(Type type);
    Status ensure_room(uint32_t length);
    Status open_next_sector();
    Result<uint32_t> choose_victim() const;
    Result<uint32_t> rescue(uint32_t victim);
    Status copy_record(size_t type);
    uint32_t sector_count() const;
    uint32_t sector_size() const { return flash_.geometry().sector_size; }

    Flash& flash_;
    std::array<Sector, kMaxSectors> sectors_{};
    std::array<uint32_t, kCarried> home_{};    // address of each type's latest record
    std::array<uint32_t, kCarried> number_{};  // and its sequence number
    uint32_t active_ = kMaxSectors;            // sector that is appended to; none yet
    uint32_t next_ = 0;                        // address of the next record
    uint32_t generation_ = 0;
    uint32_t sequence_ = 0;
    uint32_t record_count_ = 0;
    uint32_t damaged_bytes_ = 0;
    UpdateRecord update_;
    ConfirmedRecord confirmed_;
    RejectedBuilds rejected_;
    SeenRecord seen_;
    AttemptRecord attempt_;
    RevokedKeys revoked_;
    Pairings pairings_;
    PartRecords parts_;
    JobRecord job_;
    RemoteSettings remote_settings_;
    UnixTime known_time_ = 0;
};

}  // namespace ota
