// What the journal remembers of the current and of past updates.
#pragma once

#include <algorithm>

#include "base/revert_reason.hpp"
#include "ports/boot_control.hpp"
#include "ports/component_ref.hpp"
#include "ports/image.hpp"
#include "ports/remote_settings.hpp"
#include "ports/source.hpp"
#include "ports/state.hpp"
#include "ports/verified_set.hpp"

namespace ota {

// How far the latest update got. Values are stored in flash: append only.
enum class UpdateStage : uint8_t {
    kNone = 0,
    kStaging = 1,     // bytes land in the slot
    kArmed = 2,       // about to write otadata
    kTrial = 3,       // the new image has reached its manager
    kConfirming = 4,  // local health decided to keep it; otadata write follows
    kConfirmed = 5,
    kReverting = 6,  // local health decided against it; otadata write follows
    kReverted = 7,   // the previous image is back
    kDropped = 8,    // the staged bytes are bad, the file may be good; nothing to resume
    kKept = 9,       // unhealthy, but the only image that boots: it stays
    kRefused = 10,   // what was staged is not acceptable; not fetched again unless asked
};

using ProbeName = FixedString<24>;

struct UpdateRecord {
    UpdateStage stage = UpdateStage::kNone;
    SlotId slot = kNoSlot;      // where the update goes
    SlotId previous = kNoSlot;  // the slot that ran when it was staged
    uint8_t attempts = 0;       // trial boots asked for so far
    RevertReason reason = RevertReason::kNone;
    uint32_t size = 0;  // bytes of the package
    uint32_t secure_version = 0;
    Digest source_identity{};
    Digest build_id{};
    Digest digest{};  // of the verified image; zero while staging; with kRefused: the judge
    VersionText version;
    ProbeName probe;                   // the probe behind kUnhealthy
    std::optional<ResetReason> reset;  // the start at which the revert was found
    SourceKind source = SourceKind::kHttps;
    Digest package_id{};           // of the manifest, of a SUIT package; zero otherwise
    uint64_t sequence_number = 0;  // likewise
    bool told = false;             // the attempt in kStaging has its record
    UnixTime waiting_since = 0;    // for the start point of its manifest; 0 = it does not wait
};

// How an attempt ended. Values are stored in flash: append only.
enum class Outcome : uint8_t {
    kNone = 0,
    kFailed = 1,
    kAborted = 2,
    kInterrupted = 3,  // by a reset
    kRestarted = 4,    // into the new image; the update record knows how that went
    kConfirmed = 5,    // stored of a package that needs no restart
    kReverted = 6,     // never stored, as the next
    kKept = 7,
};

// What became of one component in an attempt. Values are stored in flash: append only.
enum class ComponentOutcome : uint8_t {
    kNotReached = 0,
    kHeldAlready = 1,
    kWritten = 2,  // and read back; it counts when the attempt ended well
    kFailed = 3,
};

struct ComponentResult {
    ComponentRef component;
    ComponentOutcome outcome = ComponentOutcome::kNotReached;
    Detail why = Detail::kNone;
};
using ComponentResults = FixedVector<ComponentResult, kMaxComponents>;

// Why the latest attempt ended as it did, and what it took.
struct AttemptRecord {
    Outcome outcome = Outcome::kNone;
    SourceKind source = SourceKind::kHttps;
    State phase = State::kIdle;  // the state in which it ended
    std::optional<ResetReason> reset;
    Status why;
    int32_t reading = 0;      // behind a kUnsafe status: %, m°C, mA, ms
    int32_t limit = 0;        // and its limit
    uint32_t received = 0;    // bytes from the source
    uint32_t resumed_at = 0;  // bytes of the package that flash held already
    uint16_t retries = 0;
    uint16_t pauses = 0;       // by the safety gate
    uint32_t paused_ms = 0;    // in all
    uint32_t duration_ms = 0;  // pauses included
    uint32_t count = 0;        // attempts that this record sums up
    Digest build_id{};
    VersionText version;
    ComponentResults components;  // of a package that names its components
};

// The last image that was confirmed.
struct ConfirmedRecord {
    uint32_t secure_version = 0;
    Digest build_id{};
    VersionText version;
    uint64_t sequence_number = 0;  // the highest ever confirmed
    Digest package_id{};           // of the manifest that had it
    bool unfinished = false;       // it was for boards, and some of them do not hold their image
    uint64_t settings_number = 0;  // of packages with settings, which are a series of their own
    Digest settings_id{};
};

// Builds that were tried and reverted; they are not tried again unless asked. Newest first.
struct RejectedBuild {
    Digest build_id{};
    RevertReason reason = RevertReason::kNone;
};
inline constexpr size_t kMaxRejected = 6;  // a SUIT package takes two
using RejectedBuilds = FixedVector<RejectedBuild, kMaxRejected>;

// An image gets so many trial boots before it is given up for reasons that may not be its own
// fault (power cycles, lost otadata entries).
inline constexpr uint8_t kMaxTrials = 3;

// The package that need not be fetched again, as its source knows it: the one that became build_id,
// for as long as that runs, or one that was refused for good by the judge build_id stands for.
struct SeenRecord {
    Validator validator;
    bool refused = false;
    Digest build_id{};
};

// Public keys that no longer sign: SHA-256 of each SubjectPublicKeyInfo (RFC 5280 4.1.2.7) in DER.
inline constexpr size_t kMaxRevokedKeys = 6;
using RevokedKeys = FixedVector<Digest, kMaxRevokedKeys>;

// The start of a build id.
using BuildMark = std::array<uint8_t, 8>;
inline BuildMark build_mark(const Digest& build) {
    BuildMark out;
    std::copy_n(build.begin(), out.size(), out.begin());
    return out;
}

// Which bank of the configuration belongs to the image in a slot. It is looked up by the slot that
// runs, so that a revert takes the configuration back without a write; and by the image, because an
// older firmware or a cable may put another one there.
struct Pairing {
    SlotId slot = kNoSlot;
    BuildMark build{};
    BankContent content;
    bool operator==(const Pairing&) const = default;
};
inline constexpr size_t kMaxPairings = 4;  // slots of a device with configuration banks
using Pairings = FixedVector<Pairing, kMaxPairings>;

inline const Pairing* pairing_of(const Pairings& pairings, SlotId slot) {
    for (const Pairing& pairing : pairings) {
        if (pairing.slot == slot) return &pairing;
    }
    return nullptr;
}
inline const Pairing* pairing_of(const Pairings& pairings, SlotId slot, const Digest& build) {
    const Pairing* found = pairing_of(pairings, slot);
    return found != nullptr && found->build == build_mark(build) ? found : nullptr;
}

// What the flash of a component without boot choice holds. Values are stored in flash.
struct PartRecord {
    enum class Stage : uint8_t { kUnknown = 0, kWriting = 1, kWritten = 2 };
    Stage stage = Stage::kUnknown;
    uint8_t bank = 0;
    uint32_t size = 0;  // bytes
    Digest digest{};
    bool operator==(const PartRecord&) const = default;
};
struct PartRecords {
    PartRecord config;  // the bank that was written last
    PartRecord stage;
};

// The job of a cloud that an update belongs to, for as long as the cloud has not been told its end;
// then which one it was, so that it is not begun again. Values are stored in flash: append only.
struct JobRecord {
    enum class Stage : uint8_t {
        kNone = 0,
        kTaken = 1,      // its package is looked at, or under way
        kRestarted = 2,  // into build, which decides
        kOwed = 3,       // over; the cloud does not know yet
        kDone = 4,       // and does
    };
    enum class End : uint8_t { kSucceeded = 0, kFailed = 1, kRejected = 2 };
    Stage stage = Stage::kNone;
    End end = End::kSucceeded;
    FixedString<64> id;
    uint64_t execution = 0;  // which try of it
    Digest build{};
    FixedString<64> reason;
};

using ReportText = FixedString<1280>;

// An attempt for the one who published its package.
struct Report {
    const AttemptRecord& attempt;
    RevertReason revert = RevertReason::kNone;
    std::string_view json;  // the same as text
};

class UpdateLog {
  public:
    // Latest values; defaults when nothing was recorded.
    virtual const UpdateRecord& update() const = 0;
    virtual const ConfirmedRecord& confirmed() const = 0;
    virtual const RejectedBuilds& rejected() const = 0;
    virtual const SeenRecord& seen() const = 0;
    virtual const AttemptRecord& attempt() const = 0;
    // Was the attempt recorded after the update?
    virtual bool attempt_is_newer() const = 0;
    virtual const RevokedKeys& revoked() const = 0;
    virtual const Pairings& pairings() const = 0;
    virtual const PartRecords& parts() const = 0;
    virtual const JobRecord& job() const = 0;
    virtual const RemoteSettings& remote_settings() const = 0;
    // The latest time of day that a boot of this device knew; 0 = none.
    virtual UnixTime known_time() const = 0;

    // Durable when it returns ok; after a power loss inside, the value before.
    virtual Status save(const UpdateRecord& record) = 0;
    virtual Status save(const ConfirmedRecord& record) = 0;
    virtual Status save(const SeenRecord& record) = 0;
    virtual Status save(const AttemptRecord& record) = 0;
    virtual Status save(const RevokedKeys& keys) = 0;
    virtual Status save(const Pairings& pairings) = 0;
    virtual Status save(const PartRecords& parts) = 0;
    virtual Status save(const JobRecord& job) = 0;
    virtual Status save(const RemoteSettings& settings) = 0;
    virtual Status reject(const RejectedBuild& build) = 0;
    virtual Status save_time(UnixTime now) = 0;

  protected:
    ~UpdateLog() = default;
};

}  // namespace ota
