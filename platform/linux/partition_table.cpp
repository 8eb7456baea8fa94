#include "linux/partition_table.hpp"

#include <psa/crypto.h>

#include "ports/flash_layout.hpp"

namespace ota {
namespace {

constexpr Status kBadTable{Code::kMalformed, Origin::kPlatform, Detail::kPartitionTable};
constexpr uint32_t kEntry = layout::kPartitionEntrySize;
constexpr size_t kMd5Size = 16;

Status md5(Bytes bytes, std::array<uint8_t, kMd5Size>& out) {
    size_t length = 0;
    const bool done = psa_hash_compute(PSA_ALG_MD5, bytes.data(), bytes.size(), out.data(),
                                       out.size(), &length) == PSA_SUCCESS;
    return done ? kOkStatus : Status{Code::kInternal, Origin::kPlatform, Detail::kCryptoFailed};
}

Partition parse_entry(Bytes entry) {
    BoundedReader reader(entry.subspan(2));
    Partition partition;
    partition.type = reader.u8();
    partition.subtype = reader.u8();
    partition.offset = reader.u32();
    partition.size = reader.u32();
    partition.label.assign(field_text(reader.take(16)));
    partition.flags = reader.u32();
    return partition;
}

}  // namespace

Status PartitionTable::parse(Bytes bytes, uint32_t flash_size) {
    partitions_.clear();
    for (size_t at = 0; at + kEntry <= bytes.size(); at += kEntry) {
        const Bytes entry = bytes.subspan(at, kEntry);
        if (is_blank(entry)) return at == 0 ? kBadTable : kOkStatus;
        const uint16_t magic = load_le16(entry.data());
        if (magic == layout::kPartitionMd5Magic) {
            std::array<uint8_t, kMd5Size> digest;
            OTA_TRY(md5(bytes.first(at), digest));
            if (!std::equal(digest.begin(), digest.end(), entry.begin() + 16)) return kBadTable;
            continue;
        }
        const Partition partition = parse_entry(entry);
        const bool fits =
            partition.offset <= flash_size && partition.size <= flash_size - partition.offset;
        if (magic != layout::kPartitionMagic || !fits || !partitions_.push_back(partition)) {
            return kBadTable;
        }
    }
    return kBadTable;  // no terminator
}

Status PartitionTable::serialize(MutableBytes out) const {
    if (out.size() < layout::kPartitionTableSize) return kBadTable;
    std::fill(out.begin(), out.end(), uint8_t{0xFF});
    size_t at = 0;
    for (const Partition& partition : partitions_) {
        BoundedWriter writer(out.subspan(at, kEntry));
        writer.u16(layout::kPartitionMagic);
        writer.u8(partition.type);
        writer.u8(partition.subtype);
        writer.u32(partition.offset);
        writer.u32(partition.size);
        std::array<uint8_t, 16> label{};
        std::copy(partition.label.view().begin(), partition.label.view().end(), label.begin());
        writer.copy(label);
        writer.u32(partition.flags);
        at += kEntry;
    }
    std::array<uint8_t, kMd5Size> digest;
    OTA_TRY(md5(Bytes(out).first(at), digest));
    store_le16(&out[at], layout::kPartitionMd5Magic);
    std::copy(digest.begin(), digest.end(), out.begin() + static_cast<std::ptrdiff_t>(at + 16));
    return {};
}

const Partition* PartitionTable::find(uint8_t type, uint8_t subtype) const {
    for (const Partition& partition : partitions_) {
        if (partition.type == type && partition.subtype == subtype) return &partition;
    }
    return nullptr;
}

const Partition* PartitionTable::find(std::string_view label) const {
    for (const Partition& partition : partitions_) {
        if (partition.label.view() == label) return &partition;
    }
    return nullptr;
}

const Partition* PartitionTable::slot(SlotId id) const {
    const uint8_t subtype = id == kFactorySlot ? layout::kSubtypeFactory
                                               : static_cast<uint8_t>(layout::kSubtypeOta0 + id);
    return find(layout::kTypeApp, subtype);
}

uint8_t PartitionTable::slot_count() const {
    uint8_t count = 0;
    while (count < layout::kMaxOtaSlots && slot(count) != nullptr) ++count;
    return count;
}

}  // namespace ota
