// ESP-IDF's partition table, byte for byte (components/partition_table/gen_esp32part.py).
#pragma once

#include "base/fixed.hpp"
#include "ports/boot_control.hpp"
#include "ports/flash.hpp"

namespace ota {

struct Partition {
    uint8_t type = 0;
    uint8_t subtype = 0;
    uint32_t offset = 0;
    uint32_t size = 0;
    FixedString<16> label;
    uint32_t flags = 0;
};

class PartitionTable {
  public:
    static constexpr size_t kMaxPartitions = 94;  // 96 slots, less MD5 and terminator

    // From the table's 0xC00 bytes; kMalformed / kPartitionTable for a wrong magic, MD5, a missing
    // terminator, or a partition outside flash_size.
    Status parse(Bytes bytes, uint32_t flash_size);
    // The table as gen_esp32part.py writes it, MD5 included, filled up with 0xFF.
    Status serialize(MutableBytes out) const;

    bool add(const Partition& partition) { return partitions_.push_back(partition); }
    const FixedVector<Partition, kMaxPartitions>& partitions() const { return partitions_; }
    const Partition* find(uint8_t type, uint8_t subtype) const;
    const Partition* find(std::string_view label) const;
    // ota_n, or the factory slot.
    const Partition* slot(SlotId id) const;
    // ota_0 … without a gap, as the bootloader counts them.
    uint8_t slot_count() const;

  private:
    FixedVector<Partition, kMaxPartitions> partitions_;
};

}  // namespace ota
