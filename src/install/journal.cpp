#include "install/journal.hpp"

#include "base/crc32.hpp"
#include "ports/flash_layout.hpp"

namespace ota {
namespace {

constexpr Status fault(Detail detail) {
    return {Code::kStorage, Origin::kJournal, detail};
}

// Sector header: magic, major version, reserved, generation, CRC of those 12 bytes.
constexpr uint32_t kSectorMagic = 0x4A41544F;  // "OTAJ"
constexpr uint8_t kMajorVersion = 1;
// Record header: magic, type, reserved, payload length, reserved, sequence, CRC of header and
// payload.
constexpr uint16_t kRecordMagic = 0x5AC3;
constexpr uint32_t kUnit = 16;  // records start at multiples of the largest write unit

uint32_t record_size(size_t payload) {
    return round_up(16 + static_cast<uint32_t>(payload), kUnit);
}

uint32_t record_crc(Bytes header, Bytes payload) {
    return crc32(crc32(0, header.first(12)), payload);
}

}  // namespace

uint32_t Journal::sector_count() const {
    return std::min(flash_.geometry().size / sector_size(), kMaxSectors);
}

Status Journal::open() {
    if (sector_count() < layout::kJournalMinSectors) return fault(Detail::kJournalAbsent);
    forget();
    for (uint32_t i = 0; i < sector_count(); ++i) OTA_TRY(read_sector_header(i));
    // Oldest generation first, so that later records win.
    uint32_t after = 0;
    while (true) {
        uint32_t next = kMaxSectors;
        for (uint32_t i = 0; i < sector_count(); ++i) {
            const bool candidate =
                sectors_[i].kind == SectorKind::kOurs && sectors_[i].generation > after;
            if (!candidate) continue;
            if (next == kMaxSectors || sectors_[i].generation < sectors_[next].generation) next = i;
        }
        if (next == kMaxSectors) return {};
        after = generation_ = sectors_[next].generation;
        active_ = next;
        OTA_TRY(replay(next));
    }
}

void Journal::forget() {
    sectors_ = {};
    home_ = {};
    number_ = {};
    active_ = kMaxSectors;
    next_ = generation_ = sequence_ = record_count_ = damaged_bytes_ = 0;
    update_ = UpdateRecord();
    confirmed_ = ConfirmedRecord();
    rejected_.clear();
    seen_ = SeenRecord();
    attempt_ = AttemptRecord();
    revoked_.clear();
    pairings_.clear();
    parts_ = PartRecords();
    job_ = JobRecord();
    remote_settings_ = RemoteSettings();
    known_time_ = 0;
}

Status Journal::read_sector_header(uint32_t index) {
    std::array<uint8_t, kHeaderSize> header;
    OTA_TRY(flash_.read(index * sector_size(), header));
    Sector& sector = sectors_[index];
    sector = Sector();
    const bool whole = load_le32(&header[0]) == kSectorMagic &&
                       load_le32(&header[12]) == crc32(0, Bytes(header).first(12));
    if (!whole) return {};  // blank, or its header was torn: free
    sector.kind = header[4] == kMajorVersion ? SectorKind::kOurs : SectorKind::kForeign;
    sector.generation = load_le32(&header[8]);
    return {};
}

// Reads all records of a sector and leaves next_ behind the last byte that is not blank.
Status Journal::replay(uint32_t index) {
    const uint32_t start = index * sector_size();
    uint32_t offset = kHeaderSize;
    next_ = start + offset;
    while (offset < sector_size()) {
        OTA_TRY_ASSIGN(const uint32_t length,
                       replay_record(start + offset, sector_size() - offset));
        if (length != 0) {
            offset += length;
            next_ = start + offset;
            continue;
        }
        std::array<uint8_t, kUnit> unit;
        OTA_TRY(flash_.read(start + offset, unit));
        offset += kUnit;
        if (is_blank(unit)) continue;
        damaged_bytes_ += kUnit;
        next_ = start + offset;
    }
    return {};
}

// Length of the valid record at address, 0 if there is none.
Result<uint32_t> Journal::replay_record(uint32_t address, uint32_t room) {
    std::array<uint8_t, kHeaderSize> header;
    OTA_TRY(flash_.read(address, header));
    if (load_le16(&header[0]) != kRecordMagic) return 0U;
    const uint32_t length = load_le16(&header[4]);
    if (record_size(length) > room) return 0U;
    uint32_t crc = crc32(0, Bytes(header).first(12));
    OTA_TRY(read_crc(address + kHeaderSize, length, crc));
    if (load_le32(&header[12]) != crc) return 0U;

    ++record_count_;
    sequence_ = std::max(sequence_, load_le32(&header[8]));
    const uint8_t type = header[2];
    if (type >= 1 && type < kCarried) {
        home_[type] = address;
        number_[type] = load_le32(&header[8]);
    }
    if (type >= 1 && type < kTypes) {
        // A newer firmware may have appended fields: what goes beyond ours is left alone.
        std::array<uint8_t, kMaxPayload> storage;
        const MutableBytes payload = MutableBytes(storage).first(std::min(length, kMaxPayload));
        OTA_TRY(flash_.read(address + kHeaderSize, payload));
        decode(static_cast<Type>(type), payload);
    }
    return record_size(length);
}

Status Journal::read_crc(uint32_t address, uint32_t length, uint32_t& crc) {
    std::array<uint8_t, 64> piece;
    while (length != 0) {
        const MutableBytes bytes =
            MutableBytes(piece).first(std::min<uint32_t>(length, piece.size()));
        OTA_TRY(flash_.read(address, bytes));
        crc = crc32(crc, bytes);
        address += static_cast<uint32_t>(bytes.size());
        length -= static_cast<uint32_t>(bytes.size());
    }
    return {};
}

// The value before stays the latest one when the record can't be written.
template <typename Value>
Status Journal::replace(Type type, Value& current, const Value& value) {
    const Value before = current;
    current = value;
    const Status status = append(type);
    if (!status.ok()) current = before;
    return status;
}

Status Journal::save(const UpdateRecord& record) {
    return replace(Type::kUpdate, update_, record);
}

Status Journal::save(const ConfirmedRecord& record) {
    return replace(Type::kConfirmed, confirmed_, record);
}

Status Journal::save(const SeenRecord& record) {
    return replace(Type::kSeen, seen_, record);
}

Status Journal::save(const AttemptRecord& record) {
    return replace(Type::kAttempt, attempt_, record);
}

Status Journal::save(const RevokedKeys& keys) {
    return replace(Type::kRevoked, revoked_, keys);
}

Status Journal::save(const Pairings& pairings) {
    return replace(Type::kPairings, pairings_, pairings);
}

Status Journal::save(const PartRecords& parts) {
    return replace(Type::kParts, parts_, parts);
}

Status Journal::save(const JobRecord& job) {
    return replace(Type::kJob, job_, job);
}

Status Journal::save(const RemoteSettings& settings) {
    return replace(Type::kRemoteSettings, remote_settings_, settings);
}

Status Journal::save_time(UnixTime now) {
    return replace(Type::kTime, known_time_, now);
}

Status Journal::reject(const RejectedBuild& build) {
    RejectedBuilds builds;
    builds.push_back(build);
    for (const RejectedBuild& old : rejected_) {
        if (old.build_id != build.build_id) (void)builds.push_back(old);  // the oldest falls out
    }
    return replace(Type::kRejected, rejected_, builds);
}

Status Journal::append(Type type) {
    OTA_TRY(ensure_room(kMaxRecord));
    return append_raw(type);
}

Status Journal::append_raw(Type type) {
    std::array<uint8_t, kMaxRecord> record;
    record.fill(0xFF);
    const size_t length = encode(type, MutableBytes(record).subspan(kHeaderSize));
    const uint32_t size = record_size(length);
    if (next_ % sector_size() == 0 || next_ % sector_size() + size > sector_size()) {
        return fault(Detail::kJournalFull);
    }
    store_le16(&record[0], kRecordMagic);
    record[2] = static_cast<uint8_t>(type);
    record[3] = 0;
    store_le16(&record[4], static_cast<uint16_t>(length));
    store_le16(&record[6], 0);
    store_le32(&record[8], ++sequence_);
    store_le32(&record[12], record_crc(Bytes(record).first(kHeaderSize),
                                       Bytes(record).subspan(kHeaderSize, length)));
    const uint32_t address = next_;
    next_ += size;  // also when programming fails: those bytes are spent
    OTA_TRY(flash_.program(address, Bytes(record).first(size)));

    std::array<uint8_t, kMaxRecord> written;
    OTA_TRY(flash_.read(address, MutableBytes(written).first(size)));
    if (!std::equal(record.begin(), record.begin() + size, written.begin())) {
        return fault(Detail::kReadBackDiffers);
    }
    home_[static_cast<size_t>(type)] = address;
    number_[static_cast<size_t>(type)] = sequence_;
    return {};
}

// Each sector keeps room for one record of every type, so that records can be rescued out of the
// sector that is erased next, before it is erased.
Status Journal::ensure_room(uint32_t length) {
    constexpr uint32_t kOthers = kTypes - 1 - 2;  // than the two that are known to be short
    constexpr uint32_t kReserve =
        kOthers * kMaxRecord + 2 * kHeaderSize + kTimePayload + kRemoteSettingsPayload;
    const uint32_t used = next_ % sector_size();
    if (active_ != kMaxSectors && used != 0 && used + length + kReserve <= sector_size()) return {};
    return open_next_sector();
}

// Power lost anywhere in here: the latest records are still found, in the old sectors or in the
// new.
Status Journal::open_next_sector() {
    OTA_TRY_ASSIGN(const uint32_t victim, choose_victim());
    OTA_TRY_ASSIGN(const uint32_t left_behind, rescue(victim));
    OTA_TRY(flash_.erase(victim * sector_size(), sector_size()));
    std::array<uint8_t, kHeaderSize> header{};
    store_le32(&header[0], kSectorMagic);
    header[4] = kMajorVersion;
    store_le32(&header[8], generation_ + 1);
    store_le32(&header[12], crc32(0, Bytes(header).first(12)));
    OTA_TRY(flash_.program(victim * sector_size(), header));
    sectors_[victim] = {SectorKind::kOurs, ++generation_};
    active_ = victim;
    next_ = victim * sector_size() + kHeaderSize;
    for (size_t type = 1; type < kTypes; ++type) {
        if ((left_behind >> type & 1) != 0) OTA_TRY(append_raw(static_cast<Type>(type)));
    }
    return {};
}

// A free sector, else the oldest of ours that is not the active one.
Result<uint32_t> Journal::choose_victim() const {
    uint32_t victim = kMaxSectors;
    for (uint32_t i = 0; i < sector_count(); ++i) {
        if (i == active_ || sectors_[i].kind == SectorKind::kForeign) continue;
        if (sectors_[i].kind == SectorKind::kFree) return i;
        if (victim == kMaxSectors || sectors_[i].generation < sectors_[victim].generation)
            victim = i;
    }
    if (victim == kMaxSectors) return fault(Detail::kJournalFull);
    return victim;
}

// Copies the latest records that live in victim to the active sector. Bit n of the result: type n
// found no room, because power losses during earlier rescues have spent the reserve.
Result<uint32_t> Journal::rescue(uint32_t victim) {
    uint32_t left_behind = 0;
    for (size_t type = 1; type < kCarried; ++type) {
        if (home_[type] == 0 || home_[type] / sector_size() != victim) continue;
        const Status status = copy_record(type);
        if (status.detail() == Detail::kJournalFull) {
            left_behind |= 1U << type;
        } else if (!status.ok()) {
            return status;
        }
    }
    return left_behind;
}

// Byte for byte, so that what a newer firmware appended, or wrote of types of its own, is kept.
Status Journal::copy_record(size_t type) {
    std::array<uint8_t, kHeaderSize> header;
    const uint32_t from = home_[type];
    OTA_TRY(flash_.read(from, header));
    const uint32_t size = record_size(load_le16(&header[4]));
    if (next_ % sector_size() == 0 || next_ % sector_size() + size > sector_size()) {
        return fault(Detail::kJournalFull);
    }
    const uint32_t to = next_;
    next_ += size;  // also when programming fails: those bytes are spent
    for (uint32_t at = 0; at < size; at += kUnit) {
        std::array<uint8_t, kUnit> unit;
        std::array<uint8_t, kUnit> written;
        OTA_TRY(flash_.read(from + at, unit));
        OTA_TRY(flash_.program(to + at, unit));
        OTA_TRY(flash_.read(to + at, written));
        if (unit != written) return fault(Detail::kReadBackDiffers);
    }
    home_[type] = to;
    return {};
}

}  // namespace ota
