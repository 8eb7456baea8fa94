#include "suit_show.hpp"

#include <fmt/format.h>

#include "observe/event_text.hpp"
#include "package/suit_processor.hpp"
#include "suit_pack.hpp"
#include "verify/manifest_signature.hpp"
#include "verify/suit_admission.hpp"
#include "wire/esp_image.hpp"
#include "wire/sha256.hpp"

namespace otactl {
namespace {

namespace suit = ota::suit;

std::string hex(ota::Bytes bytes) {
    return to_hex(bytes.data(), bytes.size());
}

// ---------------------------------------------------------------- the parts of a file

struct Package {
    ota::SuitPrefix prefix;
    ota::AuthWrapper auth;
    ota::SuitManifest manifest;
    std::vector<SuitPart> payloads;
};

std::vector<SuitPart> read_payloads(const Buffer& file, const ota::SuitPrefix& prefix) {
    std::vector<SuitPart> out;
    ota::SuitPayloadReader reader;
    reader.begin(prefix.payloads);
    size_t at = prefix.size;
    while (!reader.is_done()) {
        const ota::Result<size_t> n = reader.feed_head(ota::Bytes(file).subspan(at));
        require(n.status(), "payload");
        at += *n;
        if (!reader.is_payload() && reader.is_done()) break;
        if (!reader.is_payload() || reader.left() > file.size() - at) {
            throw Failure(Exit::kMalformed, "the package is cut off");
        }
        const ota::Bytes bytes = ota::Bytes(file).subspan(at, static_cast<size_t>(reader.left()));
        out.push_back({std::string(reader.key()), Buffer(bytes.begin(), bytes.end())});
        at += bytes.size();
        reader.advance(bytes.size());
    }
    if (at != file.size()) {
        throw Failure(Exit::kMalformed, ota::detail_text(ota::Detail::kTrailingBytes));
    }
    return out;
}

Package open(const Buffer& file) {
    Package out;
    const ota::Status parsed = ota::parse_suit_prefix(file, out.prefix);
    if (parsed.is(ota::Code::kTryAgain)) throw Failure(Exit::kMalformed, "the package is cut off");
    require(parsed, "envelope");
    require(ota::parse_auth_wrapper(out.prefix.auth, out.auth), "signatures");
    require(out.manifest.parse(out.prefix, out.auth.digest), "manifest");
    out.payloads = read_payloads(file, out.prefix);
    return out;
}

// ---------------------------------------------------------------- a device in memory

std::string name_of(ota::ComponentRef component) {
    return ota::component_text(component).c_str();
}

// Remembers what the manifest asks and takes what it gives; says yes to what it can't know.
class ImaginaryDevice final : public ota::ComponentHost, public ota::ConditionHost {
  public:
    ImaginaryDevice(const Package& package, const SuitDevice& device)
        : package_(package), device_(device) {}

    bool has(ota::ComponentRef) override { return true; }
    ota::Result<bool> match(ota::ComponentRef component, const ota::Digest& digest,
                            uint64_t size) override {
        const Buffer* held = held_by(component);
        // What comes from elsewhere, or is in the device, can't be looked at here.
        if (held == nullptr) return true;
        ota::Digest own;
        OTA_TRY(ota::sha256(*held, own));
        return own == digest && held->size() == size;
    }
    ota::Status fetch(ota::ComponentRef component, const ota::FetchOrder& order) override {
        Json entry = {{"component", name_of(component)},
                      {"from", std::string(order.uri)},
                      {"size", order.size},
                      {"sha256", hex(order.digest)}};
        if (!order.arguments.empty()) entry["delta"] = true;
        if (!order.encryption.empty()) entry["encrypted"] = true;
        fetches.push_back(entry);
        if (!order.uri.starts_with("#")) return {};
        for (const SuitPart& payload : package_.payloads) {
            if (payload.name != order.uri) continue;
            const bool plain = order.arguments.empty() && order.encryption.empty();
            // Encryption by a counter keeps the length.
            const bool sized = order.arguments.empty();
            if (sized && payload.bytes.size() != order.size) return bad(ota::Detail::kImageSize);
            if (plain) contents_.emplace_back(component, &payload.bytes);
            return {};
        }
        return bad(ota::Detail::kPayloadMissing);
    }
    ota::Status copy(ota::ComponentRef from, ota::ComponentRef to,
                     const ota::FetchOrder& order) override {
        const Buffer* held = held_by(from);
        if (held != nullptr && order.encryption.empty()) contents_.emplace_back(to, held);
        return {};
    }
    ota::Status write(ota::ComponentRef, ota::Bytes, ota::Bytes) override { return {}; }
    ota::Result<bool> check(const ota::Condition& condition) override {
        conditions.push_back(text_of(condition));
        if (condition.kind == ota::ConditionKind::kVendor && !device_.vendor.empty()) {
            return same(device_.vendor, condition.bytes);
        }
        const bool controller = condition.component.kind != ota::ComponentKind::kModule;
        if (condition.kind == ota::ConditionKind::kClass && controller &&
            !device_.class_id.empty()) {
            return same(device_.class_id, condition.bytes);
        }
        if (condition.kind == ota::ConditionKind::kVersion && !device_.device.version.empty()) {
            return ota::version_matches(condition.bytes, device_.device.version);
        }
        return true;
    }
    ota::Status wait(ota::Bytes info) override {
        conditions.push_back("wait " + hex(info));
        return {};
    }
    ota::Status invoke(ota::ComponentRef) override { return {}; }

    const Buffer* held_by(ota::ComponentRef component) const {
        for (const auto& [ref, bytes] : contents_) {
            if (ref == component) return bytes;
        }
        return nullptr;
    }
    Json fetches = Json::array();
    Json conditions = Json::array();

  private:
    static ota::Status bad(ota::Detail detail) {
        return {ota::Code::kMalformed, ota::Origin::kPackage, detail};
    }
    static bool same(const std::string& uuid, ota::Bytes id) {
        const Uuid own = parse_uuid(uuid);
        return std::equal(own.begin(), own.end(), id.begin(), id.end());
    }
    static std::string id_text(ota::Bytes id) {
        Uuid out{};
        std::copy_n(id.begin(), std::min(id.size(), out.size()), out.begin());
        return uuid_text(out);
    }
    static std::string text_of(const ota::Condition& condition) {
        std::string subject = name_of(condition.component) + ": ";
        switch (condition.kind) {
            case ota::ConditionKind::kVendor:
                return subject + "vendor " + id_text(condition.bytes);
            case ota::ConditionKind::kClass:
                return subject + "class " + id_text(condition.bytes);
            case ota::ConditionKind::kDevice:
                return subject + "device " + id_text(condition.bytes);
            case ota::ConditionKind::kSlot:
                return subject + fmt::format("slot {}", condition.number);
            case ota::ConditionKind::kUseBefore:
                return subject + fmt::format("use before {}", condition.number);
            case ota::ConditionKind::kMinimumBattery:
                return subject + fmt::format("at least {} mWh", condition.number);
            case ota::ConditionKind::kAuthorized:
                return subject + "authorized";
            case ota::ConditionKind::kVersion:
                return subject + "version " + hex(condition.bytes);
        }
        return subject;
    }

    const Package& package_;
    const SuitDevice& device_;
    std::vector<std::pair<ota::ComponentRef, const Buffer*>> contents_;
};

// Runs the sections of an update; the status of the first that does not end well.
ota::Status run_sections(const Package& package, ImaginaryDevice& device) {
    ota::SuitProcessor processor(device, device);
    for (const suit::Member section : {suit::kPayloadFetch, suit::kInstall, suit::kValidate}) {
        processor.begin(package.manifest, section);
        ota::Status status;
        while (status.ok()) status = processor.step();
        if (!status.is(ota::Code::kEndOfData)) return status;
    }
    return {};
}

Json signatures_of(const ota::AuthWrapper& auth) {
    Json out = Json::array();
    for (const ota::CoseSign1& block : auth.signatures) {
        const char* name = block.algorithm == ota::CoseAlgorithm::kPs256   ? "PS256"
                           : block.algorithm == ota::CoseAlgorithm::kEs256 ? "ES256"
                                                                           : "ESP256";
        out.push_back({{"algorithm", name}, {"key_id", hex(block.kid)}});
    }
    return out;
}

// ---------------------------------------------------------------- diagnostic notation

constexpr size_t kLongString = 96;
constexpr int kMaxDepth = 16;

std::string diagnose(ota::CborReader& reader, int depth);

// A byte string that holds one CBOR item of an array, map or tag is shown as that.
std::string diagnose_bytes(ota::Bytes bytes, int depth) {
    ota::CborReader inner(bytes);
    const ota::Result<ota::CborType> type = inner.peek();
    const bool container =
        type.ok() && (*type == ota::CborType::kArray || *type == ota::CborType::kMap ||
                      *type == ota::CborType::kTag);
    ota::CborReader whole(bytes);
    if (container && depth < kMaxDepth && whole.item().ok() && whole.at_end()) {
        return "<< " + diagnose(inner, depth + 1) + " >>";
    }
    if (bytes.size() <= kLongString) return "h'" + hex(bytes) + "'";
    return fmt::format("h'{}…' / {} bytes /", hex(bytes.first(16)), bytes.size());
}

std::string diagnose_map(ota::CborReader& reader, int depth) {
    const std::string indent(static_cast<size_t>(depth + 1) * 2, ' ');
    const ota::Result<size_t> pairs = reader.map();
    require(pairs.status(), "envelope");
    std::string out = "{";
    for (size_t i = 0; i < *pairs; ++i) {
        out += i == 0 ? "\n" : ",\n";
        out += indent + diagnose(reader, depth + 1) + ": ";
        out += diagnose(reader, depth + 1);
    }
    return out + "\n" + std::string(static_cast<size_t>(depth) * 2, ' ') + "}";
}

std::string diagnose(ota::CborReader& reader, int depth) {
    if (depth > kMaxDepth) throw Failure(Exit::kMalformed, "nested too deeply");
    const ota::Result<ota::CborType> type = reader.peek();
    require(type.status(), "envelope");
    switch (*type) {
        case ota::CborType::kUint:
        case ota::CborType::kNint: {
            const ota::Result<ota::CborHead> head = reader.head();
            require(head.status(), "envelope");
            return (*head).type == ota::CborType::kUint ? fmt::format("{}", (*head).value)
                                                        : fmt::format("-{}", (*head).value + 1);
        }
        case ota::CborType::kBytes: {
            const ota::Result<ota::Bytes> bytes = reader.bytes();
            require(bytes.status(), "envelope");
            return diagnose_bytes(*bytes, depth);
        }
        case ota::CborType::kText: {
            const ota::Result<std::string_view> text = reader.text();
            require(text.status(), "envelope");
            return Json(std::string(*text)).dump(-1, ' ', true, Json::error_handler_t::replace);
        }
        case ota::CborType::kArray: {
            const ota::Result<size_t> items = reader.array();
            require(items.status(), "envelope");
            std::string out = "[";
            for (size_t i = 0; i < *items; ++i) {
                out += (i == 0 ? "" : ", ") + diagnose(reader, depth + 1);
            }
            return out + "]";
        }
        case ota::CborType::kMap:
            return diagnose_map(reader, depth);
        case ota::CborType::kTag: {
            const ota::Result<ota::CborHead> head = reader.head();
            require(head.status(), "envelope");
            return fmt::format("{}({})", (*head).value, diagnose(reader, depth + 1));
        }
        case ota::CborType::kSimple:
            break;
    }
    const ota::Result<ota::CborHead> head = reader.head();
    require(head.status(), "envelope");
    return (*head).value == 20 ? "false" : (*head).value == 21 ? "true" : "null";
}

}  // namespace

bool is_suit(const Buffer& file) {
    return file.size() > 2 && file[0] == 0xD8 && file[1] == suit::kTagEnvelope;
}

Json inspect_suit(const Buffer& file) {
    const Package package = open(file);
    const SuitDevice anything;
    ImaginaryDevice device(package, anything);
    const ota::Status verdict = run_sections(package, device);
    ota::VersionText version;
    require(ota::version_text(package.manifest.version(), version), "version");
    Json components = Json::array();
    for (size_t i = 0; i < package.manifest.component_count(); ++i) {
        components.push_back(name_of(package.manifest.component(i)));
    }
    Json payloads = Json::object();
    for (const SuitPart& payload : package.payloads) {
        payloads[payload.name] = payload.bytes.size();
    }
    return {{"type", "SUIT package"},
            {"sequence", package.manifest.sequence_number()},
            {"version", std::string(version.view())},
            {"manifest_sha256", hex(package.manifest.digest())},
            {"signatures", signatures_of(package.auth)},
            {"components", components},
            {"fetches", device.fetches},
            {"conditions", device.conditions},
            {"payloads", payloads},
            {"consistent", verdict.ok() ? "yes" : ota::status_text(verdict)},
            {"prefix_bytes", package.prefix.size},
            {"size", file.size()}};
}

std::string suit_diagnostic(const Buffer& file) {
    ota::CborReader reader(file);
    return diagnose(reader, 0) + "\n";
}

Json verify_suit(const Buffer& file, const std::string& public_pem, const SuitDevice& device) {
    ota::TrustStore trusted;
    require(trusted.load_pem(public_pem), "--key");
    ota::SuitPrefix prefix;
    const ota::Status parsed = ota::parse_suit_prefix(file, prefix);
    if (parsed.is(ota::Code::kTryAgain)) throw Failure(Exit::kMalformed, "the package is cut off");
    require(parsed, "envelope");
    ota::AuthWrapper auth;
    require(ota::parse_auth_wrapper(prefix.auth, auth), "signatures");
    require(ota::verify_manifest_signature(auth, trusted, device.signatures), "signatures");
    const Package package = open(file);
    ImaginaryDevice imaginary(package, device);
    require(run_sections(package, imaginary), "manifest");
    const Buffer* app = imaginary.held_by({ota::ComponentKind::kApp, 0});
    if (app != nullptr) check_image(*app, device.device);
    Json unchecked = Json::array();
    for (const Json& fetch : imaginary.fetches) {
        const std::string component = fetch["component"];
        const std::string from = fetch["from"];
        if (fetch.contains("encrypted"))
            unchecked.push_back(fmt::format("{}: encrypted", component));
        if (!from.starts_with("#")) unchecked.push_back(fmt::format("{}: {}", component, from));
    }
    return unchecked;
}

std::vector<SuitPart> unpack_suit(const Buffer& file) {
    Package package = open(file);
    std::vector<SuitPart> out;
    out.push_back(
        {"manifest.cbor", Buffer(package.prefix.manifest.begin(), package.prefix.manifest.end())});
    for (SuitPart& payload : package.payloads) {
        // Only what the profile allows becomes a file name.
        const std::string& key = payload.name;
        const bool usable = key.size() == 4 && key.starts_with("#p") && std::isdigit(key[2]) != 0 &&
                            std::isdigit(key[3]) != 0;
        if (!usable) throw Failure(Exit::kMalformed, "payload with an unusual key");
        out.push_back({key.substr(1) + ".bin", std::move(payload.bytes)});
    }
    return out;
}

}  // namespace otactl
