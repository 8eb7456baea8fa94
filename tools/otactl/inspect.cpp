#include "inspect.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/status_text.hpp"
#include "boot/otadata.hpp"
#include "engine/attempt.hpp"
#include "install/journal.hpp"
#include "linux/flash_model.hpp"
#include "linux/partition_table.hpp"
#include "observe/event_text.hpp"
#include "ports/flash_region.hpp"
#include "suit_show.hpp"
#include "verify/image_check.hpp"
#include "verify/trust_store.hpp"
#include "wire/esp_image.hpp"

namespace otactl {
namespace {

namespace layout = ota::layout;

const char* state_text(uint32_t state) {
    switch (state) {
        case layout::kStateNew:
            return "NEW";
        case layout::kStatePendingVerify:
            return "PENDING_VERIFY";
        case layout::kStateValid:
            return "VALID";
        case layout::kStateInvalid:
            return "INVALID";
        case layout::kStateAborted:
            return "ABORTED";
        case layout::kStateUndefined:
            return "UNDEFINED";
        default:
            return "garbage";
    }
}

const char* stage_text(ota::UpdateStage stage) {
    static constexpr std::array<const char*, 11> kTexts = {
        "none",      "staging",  "armed",   "trial", "confirming", "confirmed",
        "reverting", "reverted", "dropped", "kept",  "refused",
    };
    return kTexts[static_cast<size_t>(stage)];
}

std::string hex32(uint32_t value) {
    return fmt::format("0x{:x}", value);
}

std::string digest_text(const ota::Digest& digest) {
    return to_hex(digest.data(), digest.size());
}

Json inspect_blocks(ota::Bytes sector) {
    Json blocks = Json::array();
    for (uint32_t i = 0; i < layout::kMaxSignatureBlocks; ++i) {
        const ota::Bytes block =
            sector.subspan(size_t{i} * layout::kSignatureBlockSize, layout::kSignatureBlockSize);
        if (block[0] != layout::kSignatureMagic) continue;
        const bool rsa = block[1] == layout::kSignatureRsa;
        ota::Digest key{};
        require(ota::sha256(rsa ? block.subspan(36, 776) : block.subspan(36, 65), key), "SHA-256");
        blocks.push_back(
            {{"kind", rsa ? "RSA-3072-PSS" : "ECDSA P-256"}, {"key_digest", digest_text(key)}});
    }
    return blocks;
}

// The image at the start of bytes, which may go on behind it. Null when there is none.
Json inspect_image(ota::Bytes bytes, bool exact) {
    ota::EspImageWalker walker;
    size_t at = 0;
    while (at < bytes.size() && walker.region() != ota::EspImageWalker::Region::kDone) {
        const ota::Result<size_t> n = walker.feed(bytes.subspan(at));
        if (!n.ok()) {
            if (exact) require(n.status(), "image");
            return nullptr;
        }
        at += *n;
    }
    if (walker.region() != ota::EspImageWalker::Region::kDone) {
        if (exact) throw Failure(Exit::kMalformed, "image: the file ends too early");
        return nullptr;
    }
    ota::ImageIdentity identity;
    require(ota::parse_image_identity(bytes.first(layout::kImagePrefixSize), identity), "image");
    ota::Digest body{};
    require(ota::sha256(bytes.first(at - layout::kImageHashSize), body), "SHA-256");
    const bool whole = std::equal(body.begin(), body.end(), walker.appended_hash().begin());
    if (exact && !whole) throw Failure(Exit::kMalformed, "image: the appended SHA-256 is wrong");
    Json out = {{"type", "image"},
                {"project", std::string(identity.project.view())},
                {"version", std::string(identity.version.view())},
                {"secure_version", identity.secure_version},
                {"chip_id", hex32(identity.chip_id)},
                {"min_chip_revision", identity.min_chip_revision},
                {"max_chip_revision", identity.max_chip_revision},
                {"built_at", identity.built_at},
                {"size", at},
                {"sha256_ok", whole},
                {"elf_sha256", digest_text(identity.elf_sha256)}};
    const size_t sector = ota::round_up<size_t>(at, layout::kSectorSize);
    if (exact && bytes.size() != at && bytes.size() != sector + layout::kSignatureSectorSize) {
        throw Failure(Exit::kMalformed,
                      std::string("image: ") + ota::detail_text(ota::Detail::kImageLength));
    }
    const bool has_sector = sector + layout::kSignatureSectorSize <= bytes.size();
    out["signatures"] = has_sector
                            ? inspect_blocks(bytes.subspan(sector, layout::kSignatureSectorSize))
                            : Json::array();
    return out;
}

Json inspect_otadata(ota::Bytes bytes, uint8_t slots) {
    Json out = Json::array();
    for (uint32_t copy = 0; copy < 2; ++copy) {
        const ota::Bytes raw =
            bytes.subspan(size_t{copy} * layout::kSectorSize, layout::kOtadataEntrySize);
        if (ota::is_blank(raw)) {
            out.push_back({{"copy", copy}, {"state", "blank"}});
            continue;
        }
        const ota::OtadataEntry entry = ota::parse_otadata_entry(raw);
        Json line = {{"copy", copy},
                     {"seq", entry.seq},
                     {"state", state_text(entry.state)},
                     {"crc_ok", entry.crc_ok}};
        if (slots != 0 && entry.written())
            line["slot"] = fmt::format("ota_{}", (entry.seq - 1) % slots);
        out.push_back(line);
    }
    return out;
}

Json inspect_components(const ota::ComponentResults& results) {
    Json out = Json::object();
    for (const ota::ComponentResult& result : results) {
        out[ota::component_text(result.component).c_str()] =
            ota::component_outcome_text(result.outcome);
    }
    return out;
}

Json inspect_pairings(const ota::Pairings& pairings) {
    Json out = Json::array();
    for (const ota::Pairing& pairing : pairings) {
        out.push_back({{"slot", pairing.slot},
                       {"bank", pairing.content.bank},
                       {"size", pairing.content.size},
                       {"sha256", digest_text(pairing.content.digest)}});
    }
    return out;
}

// What the owner asks for, under the names of the document that brought it.
Json inspect_settings(const ota::RemoteSettings& asked) {
    Json out = Json::object();
    const auto add = [&](const char* name, const auto& value) {
        if (value) out[name] = *value;
    };
    add("check_interval_s", asked.check_interval);
    add("automatic_update", asked.automatic_update);
    add("rollback_timeout_s", asked.rollback_timeout);
    add("min_soc", asked.min_soc);
    add("max_temperature", asked.max_temperature);
    add("min_temperature", asked.min_temperature);
    add("max_current", asked.max_current);
    if (asked.window) {
        out["window"] = fmt::format("{:02}:{:02} UTC, {} minutes", asked.window->from / 60,
                                    asked.window->from % 60, asked.window->minutes);
    }
    if (asked.log_level)
        out["log_level"] = ota::kLogLevelNames[static_cast<size_t>(*asked.log_level)];
    return out;
}

Json inspect_journal(const Buffer& bytes) {
    Buffer copy = bytes;
    ota::FlashModel flash(copy);
    ota::Journal journal(flash);
    require(journal.open(), "journal");
    const ota::UpdateRecord& update = journal.update();
    const ota::SeenRecord& seen = journal.seen();
    const ota::AttemptRecord attempt = ota::attempt_with_end(journal.attempt(), update);
    Json revoked = Json::array();
    for (const ota::Digest& key : journal.revoked()) revoked.push_back(digest_text(key));
    Json rejected = Json::array();
    for (const ota::RejectedBuild& build : journal.rejected()) {
        rejected.push_back({{"build_id", digest_text(build.build_id)},
                            {"reason", ota::revert_reason_text(build.reason)}});
    }
    return {{"type", "journal"},
            {"records", journal.record_count()},
            {"damaged_bytes", journal.damaged_bytes()},
            {"update",
             {{"stage", stage_text(update.stage)},
              {"version", std::string(update.version.view())},
              {"slot", update.slot},
              {"size", update.size},
              {"attempts", update.attempts},
              {"reason", ota::revert_reason_text(update.reason)},
              {"probe", std::string(update.probe.view())},
              {"digest", digest_text(update.digest)}}},
            {"confirmed",
             {{"version", std::string(journal.confirmed().version.view())},
              {"secure_version", journal.confirmed().secure_version},
              {"sequence_number", journal.confirmed().sequence_number},
              {"package", digest_text(journal.confirmed().package_id)}}},
            {"seen",
             {{"tag", std::string(seen.validator.tag.view())},
              {"refused", seen.refused},
              {"build_id", digest_text(seen.build_id)}}},
            {"attempt",
             {{"outcome", ota::outcome_text(attempt.outcome)},
              {"source", ota::source_text(attempt.source)},
              {"version", std::string(attempt.version.view())},
              {"phase", ota::state_name(attempt.phase)},
              {"why", attempt.why.ok() ? "" : ota::status_text(attempt.why)},
              {"reset", ota::reset_text(attempt.reset)},
              {"received", attempt.received},
              {"resumed_at", attempt.resumed_at},
              {"retries", attempt.retries},
              {"pauses", attempt.pauses},
              {"paused_ms", attempt.paused_ms},
              {"duration_ms", attempt.duration_ms},
              {"count", attempt.count},
              {"components", inspect_components(attempt.components)}}},
            {"pairings", inspect_pairings(journal.pairings())},
            {"settings", inspect_settings(journal.remote_settings())},
            {"revoked_keys", revoked},
            {"known_time", journal.known_time()},
            {"rejected", rejected}};
}

Buffer slice(const Buffer& file, const ota::Partition& partition) {
    return {file.begin() + partition.offset, file.begin() + partition.offset + partition.size};
}

Json inspect_table(const ota::PartitionTable& table) {
    Json out = Json::array();
    for (const ota::Partition& p : table.partitions()) {
        out.push_back({{"label", std::string(p.label.view())},
                       {"type", hex32(p.type)},
                       {"subtype", hex32(p.subtype)},
                       {"offset", hex32(p.offset)},
                       {"size", hex32(p.size)}});
    }
    return out;
}

Json inspect_flash(const Buffer& file, const ota::PartitionTable& table) {
    Json out = {{"type", "flash"}, {"size", file.size()}, {"partitions", inspect_table(table)}};
    Json slots = Json::object();
    for (const ota::Partition& p : table.partitions()) {
        if (p.type != layout::kTypeApp) continue;
        const Json image = inspect_image(ota::Bytes(file).subspan(p.offset, p.size), false);
        slots[std::string(p.label.view())] = image.is_null() ? Json("no valid image") : image;
    }
    out["slots"] = slots;
    if (const ota::Partition* data = table.find(layout::kTypeData, layout::kSubtypeOtadata)) {
        out["otadata"] = inspect_otadata(slice(file, *data), table.slot_count());
    }
    if (const ota::Partition* journal = table.find(layout::kJournalLabel)) {
        out["journal"] = inspect_journal(slice(file, *journal));
    }
    return out;
}

Json inspect_keys(std::string_view pem) {
    ota::TrustStore store;
    require(store.load_pem(pem), "public key");
    Json keys = Json::array();
    for (const ota::TrustedKey& key : store.keys()) {
        const bool rsa = key.kind == ota::KeyKind::kRsa3072;
        keys.push_back(
            {{"kind", rsa ? "RSA-3072-PSS" : "ECDSA P-256"}, {"sha256", digest_text(key.id)}});
    }
    return {{"type", "public keys"}, {"keys", keys}};
}

bool looks_like_journal(const Buffer& file) {
    constexpr size_t kMaxSectors = 16;
    const bool size_fits =
        file.size() % layout::kSectorSize == 0 &&
        file.size() >= size_t{layout::kJournalMinSectors} * layout::kSectorSize &&
        file.size() <= kMaxSectors * layout::kSectorSize;
    if (!size_fits) return false;
    for (size_t at = 0; at + 4 <= file.size(); at += layout::kSectorSize) {
        if (std::equal(file.begin() + static_cast<std::ptrdiff_t>(at),
                       file.begin() + static_cast<std::ptrdiff_t>(at + 4), "OTAJ")) {
            return true;
        }
    }
    return false;
}

std::string plain(const Json& value) {
    return value.is_string() ? value.get<std::string>() : to_json(value);
}

void append_text(std::string& out, const Json& node, size_t depth) {
    const std::string indent(depth * 2, ' ');
    for (const auto& [key, value] : node.items()) {
        const bool flat = value.is_primitive();
        const std::string text = plain(value);
        if (node.is_array() && value.is_object()) {
            std::string line;
            for (const auto& [name, field] : value.items()) {
                line += fmt::format("{}{}={}", line.empty() ? "" : "  ", name, plain(field));
            }
            out += fmt::format("{}- {}\n", indent, line);
        } else if (flat) {
            out += fmt::format("{}{:<18} {}\n", indent, key, text);
        } else if (value.empty()) {
            out += fmt::format("{}{:<18} none\n", indent, key);
        } else {
            out += fmt::format("{}{}\n", indent, key);
            append_text(out, value, depth + 1);
        }
    }
}

}  // namespace

Json inspect(const Buffer& file) {
    if (!file.empty() && file[0] == layout::kImageMagic) return inspect_image(file, true);
    if (is_suit(file)) return inspect_suit(file);
    const auto size = static_cast<uint32_t>(file.size());
    ota::PartitionTable table;
    constexpr size_t kTableEnd = layout::kPartitionTableOffset + layout::kPartitionTableSize;
    if (file.size() >= kTableEnd &&
        table
            .parse(ota::Bytes(file).subspan(layout::kPartitionTableOffset,
                                            layout::kPartitionTableSize),
                   size)
            .ok()) {
        return inspect_flash(file, table);
    }
    if (file.size() >= layout::kPartitionTableSize &&
        ota::load_le16(file.data()) == layout::kPartitionMagic) {
        require(table.parse(ota::Bytes(file).first(layout::kPartitionTableSize), UINT32_MAX),
                "partition table");
        return {{"type", "partition table"}, {"partitions", inspect_table(table)}};
    }
    const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
    if (text.find("-----BEGIN PUBLIC KEY-----") != std::string_view::npos)
        return inspect_keys(text);
    if (looks_like_journal(file)) return inspect_journal(file);
    if (file.size() == layout::kOtadataSize) {
        return {{"type", "otadata"}, {"entries", inspect_otadata(file, 0)}};
    }
    throw Failure(Exit::kMalformed,
                  "neither an ESP image nor a SUIT package, public key, flash file, partition "
                  "table, otadata or journal");
}

std::string to_json(const Json& tree) {
    return tree.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string to_text(const Json& tree) {
    std::string out;
    append_text(out, tree, 0);
    return out;
}

}  // namespace otactl
