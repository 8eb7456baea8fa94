// Unified Diagnostic Services: the words of ISO 14229-1:2020 that programming needs.
#pragma once

#include "base/bytes.hpp"

namespace ota::uds {

enum class Service : uint8_t {
    kSession = 0x10,
    kReset = 0x11,
    kReadData = 0x22,
    kSecurityAccess = 0x27,
    kCommunication = 0x28,
    kAuthentication = 0x29,
    kWriteData = 0x2E,
    kRoutine = 0x31,
    kDownload = 0x34,
    kTransfer = 0x36,
    kTransferExit = 0x37,
    kFile = 0x38,
    kTesterPresent = 0x3E,
    kDtcSetting = 0x85,
};
inline constexpr uint8_t kPositive = 0x40;  // added to the service in a positive answer
inline constexpr uint8_t kNegative = 0x7F;
inline constexpr uint8_t kSuppress = 0x80;  // in a sub-function: no positive answer

// Annex A.1, negative response codes.
enum class Nrc : uint8_t {
    kNone = 0,
    kGeneral = 0x10,
    kService = 0x11,
    kSubFunction = 0x12,
    kLength = 0x13,
    kAnswerTooLong = 0x14,
    kBusy = 0x21,
    kConditions = 0x22,
    kSequence = 0x24,
    kRange = 0x31,
    kLocked = 0x33,
    kNotAuthenticated = 0x34,
    kInvalidKey = 0x35,
    kTooManyTries = 0x36,
    kTimeDelay = 0x37,
    kOwnership = 0x58,  // proof of ownership verification failed
    kNotAccepted = 0x70,
    kSuspended = 0x71,
    kProgramming = 0x72,
    kBlockCounter = 0x73,
    kPending = 0x78,
    kSubFunctionInSession = 0x7E,
    kServiceInSession = 0x7F,
    kTooHot = 0x86,
    kTooCold = 0x87,
    kVoltageLow = 0x93,
};

enum class Session : uint8_t { kDefault = 1, kProgramming = 2, kExtended = 3 };

// 34 and 35: how the server names its longest transfer request. It counts service and counter.
inline constexpr uint16_t kBlockLength = 2050;  // 2048 bytes of data; all consecutive frames full
inline constexpr size_t kBlockHead = 2;

// Timers of the server, ms (ISO 14229-2:2021, 7.2; the first byte pair of 50 counts 1 ms, the
// second 10 ms).
inline constexpr uint32_t kP2 = 50;
inline constexpr uint32_t kP2Extended = 5000;
inline constexpr uint32_t kS3 = 5000;

enum Did : uint16_t {
    kDidSoftware = 0xF181,
    kDidFingerprint = 0xF184,
    kDidSession = 0xF186,
    kDidSerial = 0xF18C,
    kDidHardware = 0xF191,
    kDidVersion = 0xF195,
    kDidTesterSerial = 0xF198,
    kDidProgrammingDate = 0xF199,
    kDidOemFingerprint = 0xF15A,
    kDidComponents = 0xF1A0,
    kDidPackage = 0xF1A1,
    kDidState = 0xF1A2,
    kDidRunning = 0xF1A3,
};

enum Routine : uint16_t {
    kRoutineVerify = 0x0202,
    kRoutinePreconditions = 0x0203,
    kRoutineQuery = 0xF001,
    kRoutineApply = 0xF002,
    kRoutineConfirm = 0xF003,
    kRoutineRollback = 0xF004,
    kRoutineErase = 0xFF00,
    kRoutineDependencies = 0xFF01,
};

// What 34 asks for. dataFormatIdentifier 0: neither compressed nor encrypted by the transport.
struct DownloadRequest {
    uint8_t format = 0;
    uint32_t address = 0;
    uint32_t size = 0;
};
// request: with its service. kNone, kLength, kRange.
Nrc parse_download(Bytes request, DownloadRequest& out);

// What 38 asks for.
struct FileRequest {
    uint8_t mode = 0;  // 1 add, 3 replace, 6 resume
    std::string_view path;
    uint8_t format = 0;
    uint32_t size = 0;  // 0 with resume
};
Nrc parse_file_request(Bytes request, FileRequest& out);

}  // namespace ota::uds
