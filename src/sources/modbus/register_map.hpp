// The registers of the update block: numbers from its base on. docs/modbus-map.md is made of this
// table (otactl identify modbus --map).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace ota::modbus {

inline constexpr uint16_t kDefaultBase = 8000;
inline constexpr uint32_t kMagic = 0x4F544131;  // "OTA1"
inline constexpr uint16_t kMapVersion = 0x0100;
inline constexpr uint16_t kMaxDataRegisters = 120;

enum Register : uint16_t {
    kRegMagic = 0,
    kRegMapVersion = 2,
    kRegCaps = 3,
    kRegMaxData = 4,
    kRegMinGap = 5,
    kRegAckUnit = 6,
    kRegComponents = 7,
    kRegVersion = 8,
    kRegHardware = 16,
    kRegSerial = 24,
    kRegSecureVersion = 32,
    kRegState = 40,
    kRegError = 41,
    kRegDetail = 42,
    kRegProgress = 43,
    kRegNext = 44,
    kRegTotal = 46,
    kRegDurable = 48,
    kRegTag = 50,
    kRegInterlock = 51,
    kRegRetry = 52,
    kRegLastResult = 53,
    kRegDuplicates = 54,
    kRegErrors = 55,
    kRegLease = 56,
    kRegSequenceDone = 57,
    kRegResult = 58,
    kRegDigest = 60,
    kRegSequence = 100,
    kRegCommand = 101,
    kRegParameter = 102,
    kRegSize = 104,
    kRegComponent = 106,
    kRegFlags = 107,
    kRegOpenDigest = 108,
    kRegChallenge = 130,
    kRegProof = 150,
    kRegAccess = 182,
    kRegWindow = 200,
    kRegWindowData = 203,
    kRegEnd = 323,
    kRegComponentTable = 340,
};
inline constexpr uint16_t kComponentRegisters = 16;
inline constexpr uint16_t kDigestRegisters = 16;
inline constexpr uint16_t kCommandEnd = 124;
inline constexpr uint16_t kTextRegisters = 8;
inline constexpr uint16_t kStatusEnd = kRegDigest + kDigestRegisters;

enum Capability : uint16_t {
    kCapWindow = 1 << 0,
    kCapFile = 1 << 1,
    kCapExchange = 1 << 2,
    kCapResume = 1 << 3,
    kCapLocked = 1 << 4,
    kCapComponents = 1 << 5,
    kCapRaw = 1 << 6,
    kCapSuit = 1 << 7,
};

enum class Order : uint16_t {
    kOpen = 1,
    kFinish = 2,
    kApply = 3,
    kAbort = 4,
    kConfirm = 5,
    kRollback = 6,
    kCheck = 7,
    kClear = 8,
    kQuery = 9,
};
inline constexpr uint16_t kFlagReplace = 1 << 0;
inline constexpr uint16_t kFlagApply = 1 << 1;

// Why the latest window was refused.
enum class WindowResult : uint16_t {
    kOk = 0,
    kDuplicate = 1,
    kGap = 2,
    kStaleTag = 3,
    kRange = 4,
    kNoSession = 5,
    kBusy = 6,
    kLocked = 7,
    kFatal = 8,
};

// CMD_RESULT: done, under way, or a failure by its detail (base/status.hpp) plus this.
inline constexpr uint16_t kResultOk = 0;
inline constexpr uint16_t kResultPending = 1;
inline constexpr uint16_t kResultFailure = 0x100;

// File records: the package in files of 20,000 bytes from 1 on; the register block in the last one.
inline constexpr uint32_t kFileSize = 20000;
inline constexpr uint16_t kRegisterFile = 0xFFFF;

struct Field {
    uint16_t at;
    uint16_t count;
    std::string_view name;
    std::string_view access;
    std::string_view content;
};

inline constexpr Field kFields[] = {
    {kRegMagic, 2, "MAGIC", "R", "0x4F54 0x4131 (\"OTA1\")"},
    {kRegMapVersion, 1, "MAP_VERSION", "R",
     "major and minor in a byte each; a new minor only appends"},
    {kRegCaps, 1, "CAPS", "R",
     "bit 0 window by FC16, 1 by FC21, 2 by FC23, 3 resume, 4 the door is locked, 5 more than one "
     "component, 6 raw images, 7 SUIT packages"},
    {kRegMaxData, 1, "MAX_DATA_REGS", "R", "most registers of WIN_DATA in one window"},
    {kRegMinGap, 1, "MIN_GAP_MS", "R", "pause that the device wants between two requests"},
    {kRegAckUnit, 1, "ACK_UNIT", "R", "granularity of DURABLE, bytes"},
    {kRegComponents, 1, "COMPONENTS", "R", "entries in COMPONENT_TABLE"},
    {kRegVersion, kTextRegisters, "FW_VERSION", "R", "version of the running firmware, ASCII"},
    {kRegHardware, kTextRegisters, "HW_ID", "R", "chip and revision, ASCII"},
    {kRegSerial, kTextRegisters, "SERIAL", "R", "serial number, ASCII"},
    {kRegSecureVersion, 2, "SECURITY_VERSION", "R", "of the running firmware; none below is taken"},
    {kRegState, 1, "STATE", "R",
     "0 idle, 1 checking, 2 update available, 3 downloading, 4 verifying, 5 ready to apply, 6 "
     "applying, 7 complete, 8 rebooting, 9 failed, 10 aborted"},
    {kRegError, 1, "ERROR", "R", "class of the latest failure (below)"},
    {kRegDetail, 1, "DETAIL", "R", "exact finding (below)"},
    {kRegProgress, 1, "PROGRESS", "R", "0.1 %"},
    {kRegNext, 2, "NEXT_OFFSET", "R",
     "next byte wanted; the only acknowledgement; may go back, and on"},
    {kRegTotal, 2, "TOTAL", "R", "bytes of the package"},
    {kRegDurable, 2, "DURABLE", "R", "bytes that a loss of power does not take"},
    {kRegTag, 1, "TAG", "R", "of the session; 0 = none"},
    {kRegInterlock, 1, "INTERLOCK", "R",
     "bit 0 state of charge, 1 too hot, 2 too cold, 3 current, 4 the application, 5 waits for its "
     "time, 6 another source's update, 7 no battery data"},
    {kRegRetry, 1, "RETRY_MS", "R", "wait before repeating after exception 06"},
    {kRegLastResult, 1, "LAST_RESULT", "R",
     "of the latest window: 0 taken, 1 duplicate, 2 gap, 3 stale tag, 4 range, 5 no session, 6 "
     "busy, 7 locked, 8 fatal"},
    {kRegDuplicates, 1, "DUP_COUNT", "R", "windows that had come before"},
    {kRegErrors, 1, "ERR_COUNT", "R", "windows and commands refused"},
    {kRegLease, 1, "LEASE_S", "R", "seconds until another master may take over"},
    {kRegSequenceDone, 1, "CMD_SEQ_DONE", "R", "CMD_SEQ of the latest command"},
    {kRegResult, 1, "CMD_RESULT", "R",
     "its result: 0 done, 1 under way, 0x100 + DETAIL refused or failed"},
    {kRegDigest, kDigestRegisters, "DIGEST", "R", "SHA-256 of the package that TAG is bound to"},
    {kRegSequence, 1, "CMD_SEQ", "W",
     "number of the command; the same again is not executed again"},
    {kRegCommand, 1, "CMD", "W",
     "1 open or resume, 2 finish, 3 apply, 4 abort, 5 confirm, 6 rollback, 7 check, 8 clear "
     "counters, 9 nothing"},
    {kRegParameter, 2, "PARAM", "W", "apply: delay in seconds"},
    {kRegSize, 2, "SIZE", "W", "open: bytes of the package"},
    {kRegComponent, 1, "COMPONENT", "W", "open: 0, the package says itself"},
    {kRegFlags, 1, "FLAGS", "W",
     "open: bit 0 replace a part of another package, 1 apply when verified"},
    {kRegOpenDigest, kDigestRegisters, "DIGEST", "W", "open: SHA-256 of the package"},
    {kRegChallenge, kDigestRegisters, "CHALLENGE", "R",
     "fresh whenever its first register is read"},
    {kRegProof, 32, "PROOF", "W", "16 registers HMAC-SHA-256 or 32 registers ECDSA r, s"},
    {kRegAccess, 1, "AUTH_STATE", "R",
     "0 locked, 1 being judged, 2 open, 3 wait before the next try"},
    {kRegWindow, 1, "WIN_TAG", "W", "TAG"},
    {kRegWindow + 1, 2, "WIN_OFFSET", "W", "where in the package WIN_DATA belongs"},
    {kRegWindowData, kMaxDataRegisters, "WIN_DATA", "W",
     "1 to 120 registers, first byte high; an odd end is padded"},
    {kRegComponentTable, kComponentRegisters, "COMPONENT_TABLE", "R",
     "16 registers each: id, kind, state, version (8), security version (2), slot, flags, 0"},
};

}  // namespace ota::modbus
