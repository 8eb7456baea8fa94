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

void encode(BoundedWriter& writer, const UpdateRecord& record) {
    writer.u8(static_cast<uint8_t>(record.stage));
    writer.u8(record.slot);
    writer.u8(record.previous);
    writer.u8(record.attempts);
    writer.u8(static_cast<uint8_t>(record.reason));
    write_reset(writer, record.reset);
    writer.u8(static_cast<uint8_t>(record.source));
    writer.u8(record.told ? 1 : 0);
    writer.u32(record.size);
    writer.u32(record.secure_version);
    writer.copy(record.source_identity);
    writer.copy(record.build_id);
    writer.copy(record.digest);
    write_text(writer, record.version);
    write_text(writer, record.probe);
    writer.copy(record.package_id);
    writer.u64(record.sequence_number);
    writer.u64(static_cast<uint64_t>(record.waiting_since));
}

void decode(BoundedReader& reader, UpdateRecord& record) {
    record.stage = read_enum(reader, UpdateStage::kRefused);
    record.slot = reader.u8();
    record.previous = reader.u8();
    record.attempts = reader.u8();
    record.reason = read_enum(reader, RevertReason::kRequested);
    record.reset = read_reset(reader);
    record.source = read_enum(reader, SourceKind::kUsbDrive);
    record.told = reader.u8() == 1;
    record.size = reader.u32();
    record.secure_version = reader.u32();
    reader.copy(record.source_identity);
    reader.copy(record.build_id);
    reader.copy(record.digest);
    read_text(reader, record.version);
    read_text(reader, record.probe);
    reader.copy(record.package_id);
    record.sequence_number = reader.u64();
    record.waiting_since = static_cast<UnixTime>(reader.u64());
}

void encode(BoundedWriter& writer, const JobRecord& record) {
    writer.u8(static_cast<uint8_t>(record.stage));
    writer.u8(static_cast<uint8_t>(record.end));
    write_text(writer, record.id);
    writer.u64(record.execution);
    writer.copy(record.build);
    write_text(writer, record.reason);
}

void decode(BoundedReader& reader, JobRecord& record) {
    record.stage = read_enum(reader, JobRecord::Stage::kDone);
    record.end = read_enum(reader, JobRecord::End::kRejected);
    read_text(reader, record.id);
    record.execution = reader.u64();
    reader.copy(record.build);
    read_text(reader, record.reason);
}

// A member that is there is a byte of 1 before its value; one that is not, zeros of the same
// length.
template <typename T>
void write_optional(BoundedWriter& writer, const std::optional<T>& value) {
    writer.u8(value ? 1 : 0);
    writer.u32(value ? static_cast<uint32_t>(*value) : 0);
}

template <typename T>
void read_optional(BoundedReader& reader, std::optional<T>& value) {
    const bool is_there = reader.u8() == 1;
    const uint32_t number = reader.u32();
    value.reset();
    if (is_there && reader.ok()) value = static_cast<T>(number);
}

void encode(BoundedWriter& writer, const RemoteSettings& record) {
    write_optional(writer, record.check_interval);
    write_optional(writer, record.automatic_update);
    write_optional(writer, record.rollback_timeout);
    write_optional(writer, record.min_soc);
    write_optional(writer, record.max_temperature);
    write_optional(writer, record.min_temperature);
    write_optional(writer, record.max_current);
    const bool has_window = record.window.has_value();
    const UpdateWindow window = record.window.value_or(UpdateWindow());
    write_optional(writer, has_window ? std::optional(window.from) : std::nullopt);
    write_optional(writer, has_window ? std::optional(window.minutes) : std::nullopt);
    write_optional(writer, record.log_level);
}

void decode(BoundedReader& reader, RemoteSettings& record) {
    read_optional(reader, record.check_interval);
    read_optional(reader, record.automatic_update);
    read_optional(reader, record.rollback_timeout);
    read_optional(reader, record.min_soc);
    read_optional(reader, record.max_temperature);
    read_optional(reader, record.min_temperature);
    read_optional(reader, record.max_current);
    std::optional<uint16_t> from;
    std::optional<uint16_t> minutes;
    read_optional(reader, from);
    read_optional(reader, minutes);
    record.window.reset();
    const bool is_window = from && minutes && *from < 1440 && *minutes != 0 && *minutes <= 1440;
    if (is_window) record.window = UpdateWindow{*from, *minutes};
    read_optional(reader, record.log_level);
    if (record.log_level && *record.log_level > LogLevel::kDebug) record.log_level.reset();
}

void encode(BoundedWriter& writer, const ConfirmedRecord& record) {
    writer.u32(record.secure_version);
    writer.copy(record.build_id);
    write_text(writer, record.version);
    writer.u64(record.sequence_number);
    writer.copy(record.package_id);
    writer.u8(record.unfinished ? 1 : 0);
    writer.u64(record.settings_number);
    writer.copy(record.settings_id);
}

void decode(BoundedReader& reader, ConfirmedRecord& record) {
    record.secure_version = reader.u32();
    reader.copy(record.build_id);
    read_text(reader, record.version);
    record.sequence_number = reader.u64();
    reader.copy(record.package_id);
    record.unfinished = reader.u8() == 1;
    record.settings_number = reader.u64();
    reader.copy(record.settings_id);
}

void encode(BoundedWriter& writer, const RejectedBuilds& builds) {
    for (const RejectedBuild& build : builds) {
        writer.copy(build.build_id);
        writer.u8(static_cast<uint8_t>(build.reason));
    }
}

void decode(BoundedReader& reader, RejectedBuilds& builds) {
    while (reader.remaining() > kSha256Size) {
        RejectedBuild build;
        reader.copy(build.build_id);
        build.reason = read_enum(reader, RevertReason::kRequested);
        if (!builds.push_back(build)) return;
    }
}

void encode(BoundedWriter& writer, const SeenRecord& record) {
    writer.u8(record.refused ? 1 : 0);
    writer.copy(record.validator.place);
    writer.copy(record.build_id);
    write_text(writer, record.validator.tag);
}

void decode(BoundedReader& reader, SeenRecord& record) {
    record.refused = reader.u8() == 1;
    reader.copy(record.validator.place);
    reader.copy(record.build_id);
    read_text(reader, record.validator.tag);
}

void encode(BoundedWriter& writer, const UnixTime& time) {
    writer.u64(static_cast<uint64_t>(time));
}

void decode(BoundedReader& reader, UnixTime& time) {
    time = static_cast<UnixTime>(reader.u64());
}

void encode(BoundedWriter& writer, const AttemptRecord& record) {
    writer.u8(static_cast<uint8_t>(record.outcome));
    writer.u8(static_cast<uint8_t>(record.source));
    writer.u8(static_cast<uint8_t>(record.phase));
    write_reset(writer, record.reset);
    writer.u32(record.why.word());
    writer.u32(static_cast<uint32_t>(record.reading));
    writer.u32(static_cast<uint32_t>(record.limit));
    writer.u32(record.received);
    writer.u32(record.resumed_at);
    writer.u16(record.retries);
    writer.u16(record.pauses);
    writer.u32(record.paused_ms);
    writer.u32(record.duration_ms);
    writer.u32(record.count);
    writer.copy(record.build_id);
    write_text(writer, record.version);
    for (const ComponentResult& result : record.components) {
        writer.u8(static_cast<uint8_t>(result.component.kind));
        writer.u8(result.component.number);
        writer.u8(static_cast<uint8_t>(result.outcome));
        writer.u8(0);
        writer.u16(static_cast<uint16_t>(result.why));
    }
}

void decode(BoundedReader& reader, AttemptRecord& record) {
    record.outcome = read_enum(reader, Outcome::kConfirmed);
    record.source = read_enum(reader, SourceKind::kUsbDrive);
    record.phase = read_enum(reader, State::kAborted);
    record.reset = read_reset(reader);
    record.why = Status::from_word(reader.u32());
    record.reading = static_cast<int32_t>(reader.u32());
    record.limit = static_cast<int32_t>(reader.u32());
    record.received = reader.u32();
    record.resumed_at = reader.u32();
    record.retries = reader.u16();
    record.pauses = reader.u16();
    record.paused_ms = reader.u32();
    record.duration_ms = reader.u32();
    record.count = reader.u32();
    reader.copy(record.build_id);
    read_text(reader, record.version);
    constexpr size_t kResultSize = 6;
    while (reader.remaining() >= kResultSize) {
        ComponentResult result;
        const uint8_t kind = reader.u8();
        if (kind > static_cast<uint8_t>(ComponentKind::kSettings)) return;
        result.component.kind = static_cast<ComponentKind>(kind);
        result.component.number = reader.u8();
        result.outcome = read_enum(reader, ComponentOutcome::kFailed);
        (void)reader.u8();
        const uint16_t why = reader.u16();
        if (why < static_cast<uint16_t>(Detail::kCount_)) result.why = static_cast<Detail>(why);
        if (!record.components.push_back(result)) return;
    }
}

void encode(BoundedWriter& writer, const Pairings& pairings) {
    for (const Pairing& pairing : pairings) {
        writer.u8(pairing.slot);
        writer.u8(pairing.content.bank);
        writer.copy(pairing.build);
        writer.u32(pairing.content.size);
        writer.copy(pairing.content.digest);
    }
}

void decode(BoundedReader& reader, Pairings& pairings) {
    while (reader.remaining() >= 14 + kSha256Size) {
        Pairing pairing;
        pairing.slot = reader.u8();
        pairing.content.bank = reader.u8();
        reader.copy(pairing.build);
        pairing.content.size = reader.u32();
        reader.copy(pairing.content.digest);
        if (!pairings.push_back(pairing)) return;
    }
}

void encode(BoundedWriter& writer, const PartRecord& part) {
    writer.u8(static_cast<uint8_t>(part.stage));
    writer.u8(part.bank);
    writer.u32(part.size);
    writer.copy(part.digest);
}

void decode(BoundedReader& reader, PartRecord& part) {
    part.stage = read_enum(reader, PartRecord::Stage::kWritten);
    part.bank = reader.u8();
    part.size = reader.u32();
    reader.copy(part.digest);
}

void encode(BoundedWriter& writer, const PartRecords& parts) {
    encode(writer, parts.config);
    encode(writer, parts.stage);
}

void decode(BoundedReader& reader, PartRecords& parts) {
    decode(reader, parts.config);
    decode(reader, parts.stage);
}

void encode(BoundedWriter& writer, const RevokedKeys& keys) {
    for (const Digest& key : keys) writer.copy(key);
}

void decode(BoundedReader& reader, RevokedKeys& keys) {
    while (reader.remaining() >= kSha256Size) {
        Digest key;
        reader.copy(key);
        if (!keys.push_back(key)) return;
    }
}

// Fields that the payload does not have keep their defaults.
template <typename Record>
void decode_whole(Bytes payload, Record& record) {
    BoundedReader reader(payload);
    record = Record();
    decode(reader, record);
}

}  // namespace

// The one list of which value belongs to which type.
template <typename Self, typename Visitor>
void Journal::visit(Self& self, Type type, Visitor visitor) {
    switch (type) {
        case Type::kUpdate:
            return visitor(self.update_);
        case Type::kConfirmed:
            return visitor(self.confirmed_);
        case Type::kRejected:
            return visitor(self.rejected_);
        case Type::kSeen:
            return visitor(self.seen_);
        case Type::kTime:
            return visitor(self.known_time_);
        case Type::kAttempt:
            return visitor(self.attempt_);
        case Type::kRevoked:
            return visitor(self.revoked_);
        case Type::kPairings:
            return visitor(self.pairings_);
        case Type::kParts:
            return visitor(self.parts_);
        case Type::kJob:
            return visitor(self.job_);
        case Type::kRemoteSettings:
            return visitor(self.remote_settings_);
    }
}

size_t Journal::encode(Type type, MutableBytes out) const {
    BoundedWriter writer(out);
    visit(*this, type, [&](const auto& record) { ota::encode(writer, record); });
    return writer.written();
}

void Journal::decode(Type type, Bytes payload) {
    visit(*this, type, [&](auto& record) { decode_whole(payload, record); });
}

}  // namespace ota
