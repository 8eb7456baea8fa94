// Error values of the core: one 32-bit word, zero is ok. See docs/decisions/0003-status.md.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <type_traits>
#include <utility>

namespace ota {

// What a caller can do about it; the specification's OTA_ERR_ values are derived in api/error_map.
enum class Code : uint8_t {
    kOk,
    kNoUpdate,         // nothing newer is offered
    kTryAgain,         // not yet; call again
    kTimeout,          // a bounded wait ran out
    kCancelled,        // by command
    kUnavailable,      // medium, peer or network is not there
    kRefused,          // the other side answered no
    kUnauthenticated,  // the other side does not accept our credentials
    kUntrusted,        // signature or digest does not hold
    kMalformed,        // bytes do not follow their format
    kIncompatible,     // well formed, but not for this device or not newer
    kNoSpace,          // does not fit
    kUnsafe,           // the safety gate is closed
    kStorage,          // flash or card failed
    kEndOfData,        // the source has delivered everything
    kOutOfRange,       // an argument or offset outside its range
    kInternal,         // a state that must not occur
    kBusy,             // the other side asks to come back later
};
inline constexpr int kCodeCount = 18;

// Which stage noticed it.
enum class Origin : uint8_t {
    kNone,
    kSource,
    kPackage,
    kVerify,
    kSafety,
    kInstall,
    kJournal,
    kBoot,
    kEngine,
    kApi,
    kPlatform,
    kModules,
};
inline constexpr int kOriginCount = 12;

// The exact finding; texts in api/error_map. Values travel in logs: append only.
enum class Detail : uint16_t {
    kNone,
    // source
    kMediumAbsent,
    kFileNotFound,
    kFileChanged,
    kFileTooLarge,
    kFileReadError,
    kShortFile,
    kSidecarMalformed,
    // package
    kUnknownFormat,
    kImageMagic,
    kImageSegments,
    kImageDescriptor,
    kImageLength,
    kImageChecksum,
    kImageHash,
    // verify
    kNoTrustedKey,
    kSignatureMissing,
    kSignatureBlock,
    kSignatureDigest,
    kSignatureUntrusted,
    kExpectedSha256,
    kExpectedMd5,
    kPemMalformed,
    kKeyKind,
    kChipId,
    kChipRevision,
    kProjectName,
    kVersionFormat,
    kVersionSame,
    kVersionOlder,
    kSecureVersion,
    kSlotTooSmall,
    kRevertedBefore,
    kRefusedBefore,
    kDescriptorChanged,
    kCryptoFailed,
    // safety
    kNoBatteryProvider,
    kBatteryStale,
    kBatteryUnreadable,
    kSocLow,
    kTemperatureHigh,
    kTemperatureLow,
    kCurrentHigh,
    kSafetyCallback,
    kPausedTooLong,
    // install
    kReadBackDiffers,
    kRunningSlot,
    kFlashRead,
    kFlashProgram,
    kFlashErase,
    kNotErased,
    kUnaligned,
    // journal
    kJournalFull,
    kJournalAbsent,
    // boot
    kOtadataWrite,
    kNoOtherImage,
    kRollbackDisabled,
    kConfirmFailed,
    // engine
    kAbortedByUser,
    kNotNow,
    kNothingOffered,
    kTrialRunning,
    // platform
    kPartitionMissing,
    kPartitionTable,
    kPowerOff,
    // https
    kUriMalformed,
    kDnsFailed,
    kConnectRefused,
    kConnectionLost,
    kStalled,
    kTlsHandshake,
    kCertificateExpired,
    kCertificateNotYetValid,
    kCertificateHost,
    kCertificateIssuer,
    kPinMismatch,
    kClientCertificate,
    kClockNotSet,
    kHttpUnauthorized,
    kHttpForbidden,
    kHttpNotFound,
    kHttpStatus,
    kHttpProtocol,
    kServerBusy,
    kNotModified,
    kRedirectLimit,
    kRedirectInsecure,
    kRedirectMalformed,
    kContentRange,
    kContentEncoding,
    kDailyLimit,
    kNoAnswer,
    kBuildTimeAhead,
    kFileWriteError,
    kOutOfMemory,
    // suit
    kCborTruncated,
    kCborForm,
    kCborType,
    kCborOrder,
    kNestingTooDeep,
    kTrailingBytes,
    kEnvelopeTag,
    kEnvelopeOrder,
    kEnvelopeMember,
    kPrefixTooLarge,
    kAuthMissing,
    kCoseForm,
    kCoseAlgorithm,
    kManifestSignature,
    kManifestDigest,
    kManifestVersion,
    kManifestMember,
    kSequenceNumber,
    kSeveredDigest,
    kSeveredMissing,
    kComponentUnknown,
    kComponentIndex,
    kCommandUnknown,
    kCommandPlace,
    kCommandBudget,
    kParameterUnknown,
    kParameterMissing,
    kSoftFailurePlace,
    kNoCompatibilityCheck,
    kVendorId,
    kClassId,
    kDeviceId,
    kComponentSlot,
    kImageDigest,
    kImageIsThere,
    kImageSize,
    kExpired,
    kVersionCondition,
    kMinimumBattery,
    kNotAuthorized,
    kAbortCommand,
    kPayloadMissing,
    kWaitTooLong,
    // components
    kNothingToActivate,
    kBoardSilent,
    kBoardFailed,
    kConfigDamaged,
    kNoHttpsSource,
    kEncryptionForm,
    kEncryptionKey,
    kBoardsRest,
    kLeftOut,
    kCertificateRefused,
    // pushed packages
    kNoSession,
    kOtherPackage,
    kLinkBusy,
    kNotWhole,
    kSerialLine,
    kPortInUse,
    kCanInterface,
    // module boards
    kBoardRefused,
    kBoardLocked,
    kBoardOther,
    kBoardLost,
    // AWS IoT
    kJsonForm,
    kJobDocument,
    kStreamRefused,
    kMqttRefused,
    kJobGone,
    kProvisioningRefused,
    kCodeSignature,
    kCount_,
};

class [[nodiscard]] Status {
  public:
    constexpr Status() = default;
    constexpr Status(Code code, Origin origin, Detail detail = Detail::kNone)
        : word_(static_cast<uint32_t>(code) | static_cast<uint32_t>(origin) << 8 |
                static_cast<uint32_t>(detail) << 16) {}

    constexpr bool ok() const { return word_ == 0; }
    constexpr Code code() const { return static_cast<Code>(word_ & 0xFF); }
    constexpr Origin origin() const { return static_cast<Origin>(word_ >> 8 & 0xFF); }
    constexpr Detail detail() const { return static_cast<Detail>(word_ >> 16); }
    constexpr bool is(Code code) const { return this->code() == code; }
    constexpr uint32_t word() const { return word_; }
    static constexpr Status from_word(uint32_t word) {
        Status status;
        status.word_ = word;
        return status;
    }
    constexpr bool operator==(const Status&) const = default;

  private:
    uint32_t word_ = 0;
};

inline constexpr Status kOkStatus{};

// A bug, not an environment failure: stop at once. During a trial boot the reset that follows
// reverts the image, which is the safe direction.
#define OTA_ASSERT(condition)           \
    do {                                \
        if (!(condition)) std::abort(); \
    } while (false)

// A small value or the reason why there is none. Large things go through a caller's reference.
template <typename T>
class [[nodiscard]] Result {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 16);

  public:
    constexpr Result(T value) : value_(value) {}
    constexpr Result(Status status) : status_(status) { OTA_ASSERT(!status.ok()); }

    constexpr bool ok() const { return status_.ok(); }
    constexpr Status status() const { return status_; }
    constexpr T operator*() const {
        OTA_ASSERT(ok());
        return value_;
    }

  private:
    T value_{};
    Status status_;
};

#define OTA_CONCAT_INNER_(a, b) a##b
#define OTA_CONCAT_(a, b) OTA_CONCAT_INNER_(a, b)
#define OTA_TRY_INNER_(name, expression) \
    if (const ::ota::Status name = (expression); !name.ok()) return name
#define OTA_TRY(expression) OTA_TRY_INNER_(OTA_CONCAT_(ota_try_, __LINE__), expression)
#define OTA_TRY_ASSIGN_INNER_(name, declaration, expression) \
    const auto name = (expression);                          \
    if (!name.ok()) return name.status();                    \
    declaration = *name
#define OTA_TRY_ASSIGN(declaration, expression) \
    OTA_TRY_ASSIGN_INNER_(OTA_CONCAT_(ota_try_, __LINE__), declaration, expression)

}  // namespace ota
