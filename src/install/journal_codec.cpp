// How the records of the journal look in flash (docs/flash-layout.md). Fields are only appended:
// a shorter payload leaves the missing fields at their defaults, a longer one is from a newer
// firmware and its tail is ignored.
#include "install/journal.hpp"

namespace ota {
namespace {

template <size_t N>
void write_text(BoundedWriter& writer, const FixedString<N>& text) {
    std::array<uint8_t, N> field{};
    std::copy(text.view().begin(), text.view().end(), field.begin());
    writer.copy(field);
}

template <size_t N>
void read_text(BoundedReader& reader, FixedString<N>& text) {
    text.assign(field_text(reader.take(N)));
}

template <typename Enum>
Enum read_enum(BoundedReader& reader, Enum last) {
    const uint8_t value = reader.u8();
    return value <= static_cast<uint8_t>(last) ? static_cast<Enum>(value) : Enum{};
}

// 0 = not known, so that records from before the field existed read right.
void write_reset(BoundedWriter& writer, const std::optional<ResetReason>& reset) {
    writer.u8(reset ? static_cast<uint8_t>(static_cast<uint8_t>(*reset) + 1) : uint8_t{0});
}

std::optional<ResetReason> read_reset(BoundedReader& reader) {
    const uint8_t value = reader.u8();
    if (value == 0 || value > static_cast<uint8_t>(ResetReason::kBrownout) + 1) return std::nullopt;
    return static_cast<ResetReason>(value - 1);
}

}  // namespace

size_t Journal::encode(Type type, MutableBytes out) const {
    BoundedWriter writer(out);
    switch (type) {
        case Type::kUpdate:
            writer.u8(static_cast<uint8_t>(update_.stage));
            writer.u8(update_.slot);
            writer.u8(update_.previous);
            writer.u8(update_.attempts);
            writer.u8(static_cast<uint8_t>(update_.reason));
            write_reset(writer, update_.reset);
            writer.u8(static_cast<uint8_t>(update_.source));
            writer.u8(0);
            writer.u32(update_.size);
            writer.u32(update_.secure_version);
            writer.copy(update_.source_identity);
            writer.copy(update_.build_id);
            writer.copy(update_.digest);
            write_text(writer, update_.version);
            write_text(writer, update_.probe);
            break;
        case Type::kConfirmed:
            writer.u32(confirmed_.secure_version);
            writer.copy(confirmed_.build_id);
            write_text(writer, confirmed_.version);
            break;
        case Type::kRejected:
            for (const RejectedBuild& build : rejected_) {
                writer.copy(build.build_id);
                writer.u8(static_cast<uint8_t>(build.reason));
            }
            break;
        case Type::kSeen:
            writer.u8(seen_.refused ? 1 : 0);
            writer.copy(seen_.validator.place);
            writer.copy(seen_.build_id);
            write_text(writer, seen_.validator.tag);
            break;
        case Type::kTime:
            writer.u32(static_cast<uint32_t>(known_time_));
            writer.u32(static_cast<uint32_t>(known_time_ >> 32));
            break;
        case Type::kAttempt:
            writer.u8(static_cast<uint8_t>(attempt_.outcome));
            writer.u8(static_cast<uint8_t>(attempt_.source));
            writer.u8(static_cast<uint8_t>(attempt_.phase));
            write_reset(writer, attempt_.reset);
            writer.u32(attempt_.why.word());
            writer.u32(static_cast<uint32_t>(attempt_.reading));
            writer.u32(static_cast<uint32_t>(attempt_.limit));
            writer.u32(attempt_.received);
            writer.u32(attempt_.resumed_at);
            writer.u16(attempt_.retries);
            writer.u16(attempt_.pauses);
            writer.u32(attempt_.paused_ms);
            writer.u32(attempt_.duration_ms);
            writer.u32(attempt_.count);
            writer.copy(attempt_.build_id);
            write_text(writer, attempt_.version);
            break;
        case Type::kRevoked:
            for (const Digest& key : revoked_) writer.copy(key);
            break;
    }
    return writer.written();
}

void Journal::decode(Type type, Bytes payload) {
    switch (type) {
        case Type::kUpdate:
            return decode_update(payload);
        case Type::kConfirmed:
            return decode_confirmed(payload);
        case Type::kRejected:
            return decode_rejected(payload);
        case Type::kSeen:
            return decode_seen(payload);
        case Type::kAttempt:
            return decode_attempt(payload);
        case Type::kRevoked:
            return decode_revoked(payload);
        case Type::kTime: {
            BoundedReader reader(payload);
            const uint32_t low = reader.u32();
            known_time_ = static_cast<UnixTime>(uint64_t{reader.u32()} << 32 | low);
            return;
        }
    }
}

void Journal::decode_update(Bytes payload) {
    BoundedReader reader(payload);
    update_ = UpdateRecord();
    update_.stage = read_enum(reader, UpdateStage::kRefused);
    update_.slot = reader.u8();
    update_.previous = reader.u8();
    update_.attempts = reader.u8();
    update_.reason = read_enum(reader, RevertReason::kRequested);
    update_.reset = read_reset(reader);
    update_.source = read_enum(reader, SourceKind::kUsbDrive);
    reader.take(1);
    update_.size = reader.u32();
    update_.secure_version = reader.u32();
    reader.copy(update_.source_identity);
    reader.copy(update_.build_id);
    reader.copy(update_.digest);
    read_text(reader, update_.version);
    read_text(reader, update_.probe);
}

void Journal::decode_confirmed(Bytes payload) {
    BoundedReader reader(payload);
    confirmed_ = ConfirmedRecord();
    confirmed_.secure_version = reader.u32();
    reader.copy(confirmed_.build_id);
    read_text(reader, confirmed_.version);
}

void Journal::decode_rejected(Bytes payload) {
    BoundedReader reader(payload);
    rejected_.clear();
    while (reader.remaining() > kSha256Size) {
        RejectedBuild build;
        reader.copy(build.build_id);
        build.reason = read_enum(reader, RevertReason::kRequested);
        if (!rejected_.push_back(build)) return;
    }
}

void Journal::decode_seen(Bytes payload) {
    BoundedReader reader(payload);
    seen_ = SeenRecord();
    seen_.refused = reader.u8() == 1;
    reader.copy(seen_.validator.place);
    reader.copy(seen_.build_id);
    read_text(reader, seen_.validator.tag);
}

void Journal::decode_revoked(Bytes payload) {
    BoundedReader reader(payload);
    revoked_.clear();
    while (reader.remaining() >= kSha256Size) {
        Digest key;
        reader.copy(key);
        if (!revoked_.push_back(key)) return;
    }
}

void Journal::decode_attempt(Bytes payload) {
    BoundedReader reader(payload);
    attempt_ = AttemptRecord();
    attempt_.outcome = read_enum(reader, Outcome::kRestarted);
    attempt_.source = read_enum(reader, SourceKind::kUsbDrive);
    attempt_.phase = read_enum(reader, State::kAborted);
    attempt_.reset = read_reset(reader);
    attempt_.why = Status::from_word(reader.u32());
    attempt_.reading = static_cast<int32_t>(reader.u32());
    attempt_.limit = static_cast<int32_t>(reader.u32());
    attempt_.received = reader.u32();
    attempt_.resumed_at = reader.u32();
    attempt_.retries = reader.u16();
    attempt_.pauses = reader.u16();
    attempt_.paused_ms = reader.u32();
    attempt_.duration_ms = reader.u32();
    attempt_.count = reader.u32();
    reader.copy(attempt_.build_id);
    read_text(reader, attempt_.version);
}

}  // namespace ota
