// What every Flash has to do.
#pragma once

#include <vector>

#include "ports/flash.hpp"
#include "support/test.hpp"

namespace ota::contract {

inline void check_flash(Flash& flash) {
    const FlashGeometry geometry = flash.geometry();
    ASSERT_EQ(geometry.size % geometry.sector_size, 0U);
    ASSERT_TRUE(flash.erase(0, geometry.size).ok());
    std::vector<uint8_t> bytes(600, 0xA5);
    ASSERT_TRUE(flash.program(geometry.size - 600, bytes).ok());
    EXPECT_TRUE(*flash.is_erased(0, geometry.size - 0x1000));
    EXPECT_FALSE(*flash.is_erased(geometry.size - 0x1000, 0x1000));
    EXPECT_TRUE(flash.is_erased(geometry.size - 0x1000, 0x2000).status().is(Code::kOutOfRange));
    std::vector<uint8_t> back(600);
    ASSERT_TRUE(flash.read(geometry.size - 600, back).ok());
    EXPECT_TRUE(back == bytes);
    // Outside: refused whole.
    EXPECT_TRUE(flash.read(geometry.size - 1, back).is(Code::kOutOfRange));
    EXPECT_TRUE(flash.program(geometry.size, bytes).is(Code::kOutOfRange));
    EXPECT_TRUE(flash.erase(geometry.size, geometry.sector_size).is(Code::kOutOfRange));
    EXPECT_TRUE(flash.erase(0xFFFFF000, 0x2000).is(Code::kOutOfRange));
    // One sector is one sector.
    ASSERT_TRUE(flash.program(0, Bytes(bytes).first(4)).ok());
    ASSERT_TRUE(flash.erase(geometry.size - geometry.sector_size, geometry.sector_size).ok());
    ASSERT_TRUE(flash.read(0, MutableBytes(back).first(4)).ok());
    EXPECT_EQ(back[3], 0xA5);
    EXPECT_TRUE(*flash.is_erased(geometry.size - geometry.sector_size, geometry.sector_size));
}

}  // namespace ota::contract
