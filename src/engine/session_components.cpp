// What a package does to components: what they hold, and how a payload gets into one.
#include "engine/session.hpp"
#include "engine/session_limits.hpp"
#include "wire/sha256.hpp"

namespace ota {
namespace {

constexpr Status incompatible(Detail detail) {
    return {Code::kIncompatible, Origin::kPackage, detail};
}

bool is_writable(ComponentKind kind) {
    return kind == ComponentKind::kApp || kind == ComponentKind::kConfig ||
           kind == ComponentKind::kStage;
}

}  // namespace

bool Session::has(ComponentRef component) {
    switch (component.kind) {
        case ComponentKind::kApp:
        case ComponentKind::kAppRunning:
            return true;
        case ComponentKind::kConfig:
            return c_.parts.config.size() != 0;
        case ComponentKind::kStage:
            return c_.parts.stage.size() != 0;
        case ComponentKind::kModule:
            return c_.parts.modules != nullptr && c_.parts.modules->has(component.number);
        case ComponentKind::kSettings:
            return build::kSettingsPackages && c_.settings.settings_packages;
    }
    return false;
}

DataComponent& Session::part_of(ComponentKind kind) {
    return kind == ComponentKind::kConfig ? c_.parts.config : c_.parts.stage;
}

ImageWriter& Session::writer() {
    const bool is_app = !is_suit() || suit_.target.kind == ComponentKind::kApp;
    return is_app ? c_.app.writer() : part_of(suit_.target.kind).writer();
}

// A bank that no slot needs but the standby one, which can't boot until it is paired anew. There
// are as many banks as slots, so one is always left.
uint8_t Session::free_bank() const {
    const uint8_t banks = c_.parts.config.banks();
    uint32_t taken = 0;
    for (SlotId slot = 0; slot < banks; ++slot) {
        const Pairing* pairing = pairing_of(c_.log.pairings(), slot);
        if (pairing == nullptr || slot == c_.app.standby()) continue;
        if (pairing->content.bank < banks) taken |= 1U << pairing->content.bank;
    }
    uint8_t bank = 0;
    while ((taken >> bank & 1) != 0) ++bank;
    return bank;
}

// ---------------------------------------------------------------- what they hold

Result<bool> Session::match(ComponentRef component, const Digest& digest, uint64_t size) {
    suit_.at = component;
    switch (component.kind) {
        case ComponentKind::kApp:
            return c_.verifier.holds(digest, size);
        case ComponentKind::kModule:
            return board_matches(component, digest, size);
        case ComponentKind::kSettings:
            return settings_match(digest, size);
        default:
            return part_matches(component.kind, digest, size);
    }
}

Result<bool> Session::settings_match(const Digest& digest, uint64_t size) {
    Digest own;
    OTA_TRY(sha256(as_bytes(suit_.settings), own));
    return suit_.settings.size() == size && equal_constant_time(own, digest);
}

// What was read in this attempt is known; otherwise flash is read, where a record says that its
// writing came to an end. Without it the last page may be one that power was lost in.
Result<bool> Session::part_matches(ComponentKind kind, const Digest& digest, uint64_t size) {
    const bool is_base = kind == ComponentKind::kAppRunning;
    ImageReader& image = is_base ? c_.app.running_image() : part_of(kind).image();
    if (size == 0 || size > image.size()) return false;
    if (!c_.verifier.parts().digest(kind, size)) {
        const PartRecord wanted = part_record(kind, PartRecord::Stage::kWritten, digest, size);
        if (!is_base && recorded_part(kind) != wanted) return false;
        OTA_TRY(read_part(kind, image, size));
    }
    const std::optional<Digest> own = c_.verifier.parts().digest(kind, size);
    return own && equal_constant_time(*own, digest);
}

// kTryAgain until it was read as a whole.
Status Session::read_part(ComponentKind kind, ImageReader& image, uint64_t size) {
    SuitPackage::Reading& reading = suit_.reading;
    if (!reading.active || reading.kind != kind || reading.size != size) {
        OTA_TRY(c_.verifier.parts().begin(kind, size));
        reading = {true, kind, size, 0};
    }
    const uint64_t stop = std::min<uint64_t>(size, reading.at + kReverifyStep);
    OTA_TRY(feed(image, reading.at, stop, c_.verifier.parts()));
    reading.at = stop;
    if (stop < size) return engine_status(Code::kTryAgain, Detail::kNone);
    reading.active = false;
    return {};
}

// Shows what lies in flash to the one who judges it.
Status Session::feed(ImageReader& image, uint64_t from, uint64_t to, ReadBackSink& sink) {
    while (from < to) {
        const uint64_t n = std::min<uint64_t>(c_.workspace.io.size(), to - from);
        const MutableBytes chunk = MutableBytes(c_.workspace.io).first(static_cast<size_t>(n));
        OTA_TRY(image.read_at(from, chunk));
        OTA_TRY(sink.on_read_back(chunk));
        from += n;
    }
    return {};
}

PartRecord Session::recorded_part(ComponentKind kind) const {
    const PartRecords& parts = c_.log.parts();
    return kind == ComponentKind::kConfig ? parts.config : parts.stage;
}

PartRecord Session::part_record(ComponentKind kind, PartRecord::Stage stage, const Digest& digest,
                                uint64_t size) {
    return {stage, part_of(kind).bank(), static_cast<uint32_t>(size), digest};
}

Status Session::save_part(ComponentKind kind, const PartRecord& record) {
    PartRecords parts = c_.log.parts();
    (kind == ComponentKind::kConfig ? parts.config : parts.stage) = record;
    return c_.log.save(parts);
}

// A part that was not written to its end is written anew.
void Session::drop_parts() {
    PartRecords parts = c_.log.parts();
    bool changed = false;
    for (PartRecord* part : {&parts.config, &parts.stage}) {
        if (part->stage != PartRecord::Stage::kWriting) continue;
        *part = PartRecord();
        changed = true;
    }
    if (changed) (void)c_.log.save(parts);
}

// ---------------------------------------------------------------- payloads

Status Session::fetch(ComponentRef component, const FetchOrder& order) {
    const bool integrated = order.uri.starts_with("#");
    if (!integrated && web_source() == nullptr) {
        return incompatible(Detail::kNoHttpsSource);
    }
    suit_.from = integrated ? SuitPackage::From::kFile : SuitPackage::From::kWeb;
    suit_.uri.assign(order.uri);
    return begin_target(component, order);
}

// Of the application and the configuration: what the stage holds, on its way into place. Of a
// module board: its image.
Status Session::copy(ComponentRef from, ComponentRef to, const FetchOrder& order) {
    suit_.at = to;
    if (from.kind != ComponentKind::kStage) return incompatible(Detail::kComponentUnknown);
    // Boards wait for apply; what goes into our own flash is proven before.
    const bool downloading = c_.publisher.state() == State::kDownloading;
    const bool is_board = to.kind == ComponentKind::kModule;
    if (downloading == is_board || to.kind == ComponentKind::kStage) {
        return incompatible(Detail::kCommandPlace);
    }
    if (is_board) return copy_to_board(to, order);
    suit_.from = SuitPackage::From::kStage;
    return begin_target(to, order);
}

// The next payload, unless the component holds it already.
Status Session::begin_target(ComponentRef component, const FetchOrder& order) {
    suit_.at = component;
    if (suit_.fetched) {
        suit_.fetched = false;
        return {};
    }
    const bool is_app = component.kind == ComponentKind::kApp;
    if (!is_writable(component.kind) || !order.arguments.empty())
        return incompatible(Detail::kParameterUnknown);
    const uint64_t room = is_app ? c_.device.slot_size : part_of(component.kind).size();
    if (order.size == 0) return {Code::kMalformed, Origin::kPackage, Detail::kImageSize};
    if (order.size > room) return {Code::kNoSpace, Origin::kVerify, Detail::kSlotTooSmall};
    if (!is_app) {
        OTA_TRY_ASSIGN(const bool held, part_matches(component.kind, order.digest, order.size));
        if (held) {
            attempt_.component(component, ComponentOutcome::kHeldAlready);
            return end_of_target(component, order.digest, order.size);
        }
    }
    if (!order.encryption.empty()) {
        // Is it for this device at all? Before anything is erased for it.
        const Status opened = suit_.cipher.open(order.encryption, c_.settings.payload_keys, 0);
        suit_.cipher.close();
        OTA_TRY(opened);
    }
    suit_.target = component;
    suit_.digest = order.digest;
    suit_.size = payload_.size = order.size;
    suit_.encryption = order.encryption;
    suit_.web_identity.reset();
    stage_step_ = suit_.from == SuitPackage::From::kFile ? StageStep::kSeek : StageStep::kOpenSlot;
    return engine_status(Code::kTryAgain, Detail::kNone);
}

// The component holds it.
Status Session::end_of_target(ComponentRef component, const Digest& digest, uint64_t size) {
    suit_.done += size;
    if (component.kind == ComponentKind::kApp) suit_.staged = true;
    if (component.kind == ComponentKind::kConfig) {
        suit_.config = {c_.parts.config.bank(), static_cast<uint32_t>(size), digest};
    }
    return {};
}

// Like open_slot, of a component that no bootloader looks at.
Status Session::open_part() {
    const ComponentKind kind = suit_.target.kind;
    attempt_.touched();
    continued_ = false;
    // The slot that was paired with the bank must not boot any more.
    if (kind == ComponentKind::kConfig) OTA_TRY(c_.boot.invalidate_standby());
    const PartRecord recorded = recorded_part(kind);
    resume_ = recorded == part_record(kind, PartRecord::Stage::kWriting, suit_.digest, suit_.size);
    // What was there is about to be gone.
    if (!resume_ && recorded != PartRecord()) OTA_TRY(save_part(kind, PartRecord()));
    OTA_TRY(c_.verifier.parts().begin(kind, suit_.size));
    writer().abort();
    stage_step_ = StageStep::kPrepare;
    return {};
}

// From here on flash holds bytes of this payload alone.
Status Session::record_part() {
    if (!is_own_record()) OTA_TRY(save_own_record());
    if (resume_) return {};
    return save_part(suit_.target.kind, part_record(suit_.target.kind, PartRecord::Stage::kWriting,
                                                    suit_.digest, suit_.size));
}

// The package in hand is the one that flash holds bytes of; of its application nothing is known to
// be there.
Status Session::save_own_record() {
    UpdateRecord record = staging_record();
    record.size = 0;
    return c_.log.save(record);
}

// The last byte was written and read back.
Status Session::finish_part() {
    const ComponentKind kind = suit_.target.kind;
    const std::optional<Digest> own = c_.verifier.parts().digest(kind, suit_.size);
    if (!own || !equal_constant_time(*own, suit_.digest)) {
        return {Code::kUntrusted, Origin::kVerify, Detail::kImageDigest};
    }
    return save_part(kind,
                     part_record(kind, PartRecord::Stage::kWritten, suit_.digest, suit_.size));
}

// Heeded in the end, when all conditions of the package were met.
Status Session::hold_settings(Bytes document, Bytes encryption) {
    if (!encryption.empty()) return incompatible(Detail::kParameterUnknown);
    suit_.settings = {reinterpret_cast<const char*>(document.data()), document.size()};
    return {};
}

Status Session::take_settings() {
    const ComponentRef component{ComponentKind::kSettings, 0};
    suit_.at = component;
    OTA_TRY(c_.parts.settings.take_settings(suit_.settings, SettingsCarrier::kPackage));
    attempt_.component(component, ComponentOutcome::kWritten);
    return {};
}

// A small configuration that stands in the manifest itself.
Status Session::write(ComponentRef component, Bytes content, Bytes encryption) {
    suit_.at = component;
    if (component.kind == ComponentKind::kSettings) return hold_settings(content, encryption);
    const bool fits = content.size() <= c_.workspace.io.size();
    if (component.kind != ComponentKind::kConfig || !fits) {
        return incompatible(Detail::kComponentUnknown);
    }
    // The buffer is used by what may come in between: decrypted anew each time it is asked.
    const MutableBytes plain = MutableBytes(c_.workspace.io).first(content.size());
    const auto decrypt = [&]() -> Status {
        std::copy(content.begin(), content.end(), plain.begin());
        if (encryption.empty()) return {};
        OTA_TRY(suit_.cipher.open(encryption, c_.settings.payload_keys, 0));
        const Status status = suit_.cipher.apply(plain);
        suit_.cipher.close();
        return status;
    };
    FetchOrder order;
    OTA_TRY(decrypt());
    OTA_TRY(sha256(plain, order.digest));
    order.size = content.size();
    suit_.from = SuitPackage::From::kStage;
    const Status begun = begin_target(component, order);
    if (!begun.is(Code::kTryAgain) || suit_.reading.active) return begun;
    stage_step_ = StageStep::kCommand;
    OTA_TRY(open_part());
    resume_ = false;
    OTA_TRY(writer().prepare(payload_, false).status());
    OTA_TRY(record_part());
    OTA_TRY(decrypt());
    OTA_TRY(writer().write(plain));
    OTA_TRY(writer().finish());
    OTA_TRY(finish_part());
    attempt_.component(component, ComponentOutcome::kWritten);
    stage_step_ = StageStep::kCommand;
    return end_of_target(component, order.digest, order.size);
}

}  // namespace ota
