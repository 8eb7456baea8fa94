// The numbers of draft-ietf-suit-manifest (approved, RFC number pending) and of
// draft-ietf-suit-update-management, whose labels are not registered yet: a late renumbering of
// those is a change in this file alone.
#pragma once

#include <cstdint>

namespace ota::suit {

inline constexpr uint64_t kTagEnvelope = 107;
inline constexpr uint64_t kManifestVersion = 1;

// Members of the envelope and of the manifest.
enum Member : int64_t {
    kAuthWrapper = 2,     // envelope
    kManifest = 3,        // envelope
    kVersion = 1,         // manifest, from here on
    kSequenceNumber = 2,  //
    kCommon = 3,          //
    kReferenceUri = 4,    //
    kSetVersion = 6,      // update management
    kValidate = 7,        //
    kInvoke = 9,          //
    kPayloadFetch = 16,   // also an envelope member, when severed
    kInstall = 20,        // likewise
    kText = 23,           // likewise
    kComponents = 2,      // common
    kSharedSequence = 4,  // common
};

enum Command : int64_t {
    kConditionVendorId = 1,
    kConditionClassId = 2,
    kConditionImageMatch = 3,
    kConditionUseBefore = 4,  // update management
    kConditionComponentSlot = 5,
    kConditionCheckContent = 6,
    kSetComponentIndex = 12,
    kConditionAbort = 14,
    kTryEach = 15,
    kWrite = 18,
    kSetParameters = 19,
    kOverrideParameters = 20,
    kFetch = 21,
    kCopy = 22,
    kInvokeComponent = 23,
    kConditionDeviceId = 24,
    kConditionImageNotMatch = 25,  // update management, as the rest but 32
    kConditionMinimumBattery = 26,
    kConditionUpdateAuthorized = 27,
    kConditionVersion = 28,
    kWait = 29,
    kRunSequence = 32,
};

enum Parameter : int64_t {
    kVendorId = 1,
    kClassId = 2,
    kImageDigest = 3,
    kUseBefore = 4,  // update management
    kComponentSlot = 5,
    kStrictOrder = 12,
    kSoftFailure = 13,
    kImageSize = 14,
    kContent = 18,
    kEncryptionInfo = 19,
    kUri = 21,
    kSourceComponent = 22,
    kInvokeArguments = 23,
    kDeviceId = 24,
    kFetchArguments = 25,
    kMinimumBattery = 26,  // update management, as the rest
    kUpdatePriority = 27,
    kVersionMatch = 28,
    kWaitInfo = 29,
};
// Events of a wait (update management).
enum WaitEvent : int64_t {
    kWaitAuthorization = 1,
    kWaitTime = 5,
    kWaitTimeOfDayUtc = 8,
    kWaitDayOfWeekUtc = 9,
};
// What a version condition compares by, and the marks of pre-releases in a version (update
// management).
enum Comparison : uint64_t { kGreater = 1, kGreaterEqual, kEqual, kLessEqual, kLess };
inline constexpr int64_t kReleaseCandidate = -1;
inline constexpr int64_t kBeta = -2;
inline constexpr int64_t kAlpha = -3;

inline constexpr int64_t kLastParameter = kWaitInfo;

}  // namespace ota::suit
