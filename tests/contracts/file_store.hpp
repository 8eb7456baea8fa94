// What every FileStore has to do.
#pragma once

#include <array>
#include <cstring>

#include "ports/file_store.hpp"
#include "support/test.hpp"

namespace ota::contract {

// store holds one file, /sdcard/bess.bin, with the bytes "0123456789".
inline void check_file_store(FileStore& store) {
    FixedString<kMaxFileName> name;
    ASSERT_TRUE(store.next("/sdcard", true, name).ok());
    EXPECT_STREQ(name.c_str(), "bess.bin");
    EXPECT_TRUE(store.next("/sdcard", false, name).is(Code::kEndOfData));

    const Status missing = store.open("/sdcard/none.bin");
    EXPECT_TRUE(missing.is(Code::kUnavailable));
    EXPECT_EQ(missing.detail(), Detail::kFileNotFound);
    std::array<uint8_t, 4> bytes{};
    EXPECT_FALSE(store.read_at(0, bytes).ok());  // nothing is open

    ASSERT_TRUE(store.open("/sdcard/bess.bin").ok());
    FileStat stat;
    ASSERT_TRUE(store.stat(stat).ok());
    EXPECT_EQ(stat.size, 10U);
    FileStat again;
    ASSERT_TRUE(store.stat(again).ok());
    EXPECT_TRUE(stat == again);
    EXPECT_EQ(*store.read_at(4, bytes), 4U);
    EXPECT_EQ(bytes[0], '4');
    EXPECT_EQ(*store.read_at(8, bytes), 2U);  // short at the end
    EXPECT_EQ(*store.read_at(10, bytes), 0U);
    ASSERT_TRUE(store.open("/sdcard/bess.bin").ok());  // one at a time: the earlier one is closed
    store.close();
    store.close();
    EXPECT_FALSE(store.stat(stat).ok());
    // A listing that was left in its middle holds nothing back either.
    ASSERT_TRUE(store.next("/sdcard", true, name).ok());
    store.close();

    const std::string_view longer = "a result";
    ASSERT_TRUE(store.replace("/sdcard/bess.json", as_bytes("first, and longer")).ok());
    ASSERT_TRUE(store.replace("/sdcard/bess.json", as_bytes(longer)).ok());
    ASSERT_TRUE(store.open("/sdcard/bess.json").ok());
    std::array<uint8_t, 32> text{};
    ASSERT_EQ(*store.read_at(0, text), longer.size());
    EXPECT_EQ(std::memcmp(text.data(), longer.data(), longer.size()), 0);
    store.close();
}

inline void check_absent(FileStore& store) {
    FixedString<kMaxFileName> name;
    EXPECT_EQ(store.next("/sdcard", true, name).detail(), Detail::kMediumAbsent);
    EXPECT_EQ(store.open("/sdcard/bess.bin").detail(), Detail::kMediumAbsent);
    EXPECT_TRUE(store.replace("/sdcard/bess.json", as_bytes("x")).is(Code::kUnavailable));
}

}  // namespace ota::contract
