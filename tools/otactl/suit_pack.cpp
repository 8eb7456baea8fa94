#include "suit_pack.hpp"

#include <fmt/format.h>

#include <cctype>

#include "base/hex.hpp"
#include "base/version.hpp"
#include "cbor_encoder.hpp"
#include "package/suit_lint.hpp"
#include "package/suit_manifest.hpp"
#include "verify/trust_store.hpp"
#include "wire/esp_image.hpp"
#include "wire/sha256.hpp"
#include "wire/suit_auth.hpp"
#include "wire/uri.hpp"

namespace otactl {
namespace {

namespace suit = ota::suit;
using cbor::Item;

constexpr int64_t kReportAll = 15;  // record and explain, well or not
constexpr int64_t kReportFailure = 2;

Item sha256_of(const Item& bytes) {
    ota::Digest digest;
    require(ota::sha256(bytes, digest), "SHA-256");
    return {digest.begin(), digest.end()};
}

Item suit_digest(const Item& bytes) {
    return cbor::array({cbor::number(ota::kCoseSha256), cbor::bytes(sha256_of(bytes))});
}

Item id_bytes(const Uuid& id) {
    return cbor::bytes({id.begin(), id.end()});
}

// A sequence of commands in the making.
class Sequence {
  public:
    Sequence& add(int64_t code, const Item& argument) {
        items_.push_back(cbor::number(code));
        items_.push_back(argument);
        return *this;
    }
    Sequence& condition(int64_t code) { return add(code, cbor::number(kReportAll)); }
    Sequence& directive(int64_t code) { return add(code, cbor::number(kReportFailure)); }
    Sequence& index(size_t component) {
        return add(suit::kSetComponentIndex, cbor::number(static_cast<int64_t>(component)));
    }
    Item encode() const { return cbor::bytes(cbor::array(items_)); }

  private:
    std::vector<Item> items_;
};

class Parameters {
  public:
    Parameters& set(int64_t key, const Item& value) {
        pairs_.emplace_back(cbor::number(key), value);
        return *this;
    }
    Parameters& set(int64_t key, uint64_t value) { return set(key, cbor::head(0, value)); }
    Item encode() const { return cbor::map(pairs_); }

  private:
    std::vector<std::pair<Item, Item>> pairs_;
};

// With one component nothing needs to say which.
void select(Sequence& sequence, const PackPlan& plan, size_t component) {
    if (plan.components.size() > 1) sequence.index(component);
}

bool is_board(const PackComponent& component) {
    return component.board != 0;
}

// Stands in the manifest itself.
bool is_inline(const PackComponent& component) {
    return component.id == "settings";
}

bool has_boards(const PackPlan& plan) {
    return std::any_of(plan.components.begin(), plan.components.end(), is_board);
}

int64_t stage_of(const PackPlan& plan) {
    for (size_t i = 0; i < plan.components.size(); ++i) {
        if (plan.components[i].id == "stage") return static_cast<int64_t>(i);
    }
    throw Failure(Exit::kUsage, "boards need a stage");
}

Item shared_sequence(const PackPlan& plan) {
    Sequence out;
    for (size_t i = 0; i < plan.components.size(); ++i) {
        const PackComponent& component = plan.components[i];
        Parameters parameters;
        parameters.set(suit::kVendorId, id_bytes(plan.vendor))
            .set(suit::kClassId, id_bytes(is_board(component) ? plan.module_class : plan.class_id))
            .set(suit::kImageDigest, cbor::bytes(suit_digest(component.payload)))
            .set(suit::kImageSize, component.payload.size());
        if (plan.device) parameters.set(suit::kDeviceId, id_bytes(*plan.device));
        if (plan.use_before) parameters.set(suit::kUseBefore, *plan.use_before);
        if (is_board(component)) {
            parameters.set(suit::kSourceComponent, cbor::number(stage_of(plan)));
        }
        select(out, plan, i);
        out.add(suit::kOverrideParameters, parameters.encode())
            .condition(suit::kConditionVendorId)
            .condition(suit::kConditionClassId);
        if (plan.device) out.condition(suit::kConditionDeviceId);
    }
    return out.encode();
}

std::string payload_key(size_t index) {
    return fmt::format("#p{:02}", index);
}

// What travels in place of the components' content: the same, or encrypted.
struct Sent {
    Buffer bytes;
    Item info;  // COSE_Encrypt; empty: as it is
};

std::vector<Sent> payloads_of(const PackPlan& plan) {
    std::vector<Sent> out;
    for (const PackComponent& component : plan.components) {
        if (is_board(component) || is_inline(component)) {
            out.emplace_back();
        } else if (plan.recipients.empty()) {
            out.push_back({component.payload, {}});
        } else {
            EncryptedPayload encrypted = encrypt_payload(component.payload, plan.recipients);
            out.push_back({std::move(encrypted.bytes), std::move(encrypted.info)});
        }
    }
    return out;
}

Item fetch_section(const PackPlan& plan, const std::vector<Sent>& sent) {
    Sequence out;
    size_t integrated = 0;
    for (size_t i = 0; i < plan.components.size(); ++i) {
        const PackComponent& component = plan.components[i];
        if (is_board(component)) continue;
        select(out, plan, i);
        if (i == 0 && plan.use_before) out.condition(suit::kConditionUseBefore);
        Parameters parameters;
        if (is_inline(component)) {
            parameters.set(suit::kContent, cbor::bytes(component.payload));
            out.add(suit::kOverrideParameters, parameters.encode())
                .directive(suit::kWrite)
                .condition(suit::kConditionImageMatch);
            continue;
        }
        const std::string uri = component.uri.empty() ? payload_key(integrated++) : component.uri;
        parameters.set(suit::kUri, cbor::text(uri));
        if (!sent[i].info.empty()) {
            parameters.set(suit::kEncryptionInfo, cbor::bytes(sent[i].info));
        }
        out.add(suit::kOverrideParameters, parameters.encode())
            .directive(suit::kFetch)
            .condition(suit::kConditionImageMatch);
    }
    return out.encode();
}

Item match_section(const PackPlan& plan) {
    Sequence out;
    if (plan.components.size() > 1) out.add(suit::kSetComponentIndex, cbor::boolean(true));
    return out.condition(suit::kConditionImageMatch).encode();
}

Item wait_events(const PackPlan& plan) {
    constexpr uint64_t kAuthorization = 1;
    constexpr uint64_t kTime = 5;
    constexpr uint64_t kTimeOfDayUtc = 8;
    std::vector<std::pair<Item, Item>> events;
    if (plan.authorize) {
        events.emplace_back(cbor::head(0, kAuthorization), cbor::number(*plan.authorize));
    }
    if (plan.not_before) events.emplace_back(cbor::head(0, kTime), cbor::head(0, *plan.not_before));
    if (plan.time_of_day) {
        events.emplace_back(cbor::head(0, kTimeOfDayUtc), cbor::head(0, *plan.time_of_day));
    }
    return cbor::bytes(cbor::map(events));
}

// Each board that does not hold the image yet gets it from the stage.
void add_board_commands(Sequence& out, const PackPlan& plan) {
    std::vector<Item> boards;
    for (size_t i = 0; i < plan.components.size(); ++i) {
        if (is_board(plan.components[i])) boards.push_back(cbor::number(static_cast<int64_t>(i)));
    }
    const Item held =
        Sequence().add(suit::kConditionImageMatch, cbor::number(0)).encode();  // no report
    const Item copied =
        Sequence().directive(suit::kCopy).condition(suit::kConditionImageMatch).encode();
    out.index(static_cast<size_t>(stage_of(plan)))
        .condition(suit::kConditionImageMatch)
        .add(suit::kSetComponentIndex, cbor::array(boards))
        .add(suit::kTryEach, cbor::array({held, copied}));
}

// What has to hold right before the restart, after any waiting.
void add_conditions(Sequence& out, const PackPlan& plan) {
    const bool waits = plan.not_before || plan.time_of_day || plan.authorize;
    if (!waits && !plan.minimum_energy) return;
    select(out, plan, 0);
    Parameters parameters;
    if (plan.minimum_energy) parameters.set(suit::kMinimumBattery, *plan.minimum_energy);
    if (plan.authorize) parameters.set(suit::kUpdatePriority, cbor::number(*plan.authorize));
    if (waits) parameters.set(suit::kWaitInfo, wait_events(plan));
    out.add(suit::kOverrideParameters, parameters.encode());
    if (waits) out.directive(suit::kWait);
    if (plan.use_before) out.condition(suit::kConditionUseBefore);
    if (plan.minimum_energy) out.condition(suit::kConditionMinimumBattery);
    if (plan.authorize) out.condition(suit::kConditionUpdateAuthorized);
}

Item install_section(const PackPlan& plan) {
    Sequence out;
    add_conditions(out, plan);
    if (has_boards(plan)) add_board_commands(out, plan);
    if (plan.components.size() > 1) out.add(suit::kSetComponentIndex, cbor::boolean(true));
    return out.condition(suit::kConditionImageMatch).encode();
}

Item component_list(const PackPlan& plan) {
    std::vector<Item> ids;
    for (const PackComponent& component : plan.components) {
        std::vector<Item> segments = {cbor::bytes({component.id.begin(), component.id.end()})};
        if (is_board(component)) segments.push_back(cbor::bytes({component.board}));
        ids.push_back(cbor::array(segments));
    }
    return cbor::array(ids);
}

Item version_array(const std::string& text) {
    ota::Version version;
    require(ota::parse_version(text, version), "version " + text);
    std::vector<Item> parts = {cbor::head(0, version.major), cbor::head(0, version.minor),
                               cbor::head(0, version.patch)};
    if (!version.prerelease.empty()) {
        const std::string name(version.prerelease);
        parts.push_back(cbor::number(name.starts_with("rc")     ? suit::kReleaseCandidate
                                     : name.starts_with("beta") ? -2
                                                                : -3));
        uint64_t number = 0;  // as the device reads it: all digits of the name
        bool any = false;
        for (const char c : name) {
            if (std::isdigit(static_cast<unsigned char>(c)) == 0) continue;
            any = true;
            number = number * 10 + static_cast<uint64_t>(c - '0');
            if (number > 1000000000) throw Failure(Exit::kUsage, "version " + text + ": too long");
        }
        if (any) parts.push_back(cbor::head(0, number));
    }
    return cbor::bytes(cbor::array(parts));
}

Item manifest(const PackPlan& plan, const std::vector<Sent>& sent) {
    const Item common = cbor::map({{cbor::number(suit::kComponents), component_list(plan)},
                                   {cbor::number(suit::kSharedSequence), shared_sequence(plan)}});
    Sequence invoke;
    select(invoke, plan, 0);
    invoke.directive(suit::kInvokeComponent);
    std::vector<std::pair<Item, Item>> members = {
        {cbor::number(suit::kVersion), cbor::head(0, suit::kManifestVersion)},
        {cbor::number(suit::kSequenceNumber), cbor::head(0, plan.sequence)},
        {cbor::number(suit::kCommon), cbor::bytes(common)},
        {cbor::number(suit::kValidate), match_section(plan)},
        {cbor::number(suit::kInvoke), invoke.encode()},
        {cbor::number(suit::kPayloadFetch), fetch_section(plan, sent)},
        {cbor::number(suit::kInstall), install_section(plan)}};
    if (!plan.version.empty()) {
        members.emplace_back(cbor::number(suit::kSetVersion), version_array(plan.version));
    }
    return cbor::map(members);
}

Item key_id(PrivateKey& key) {
    ota::TrustStore store;
    require(store.load_pem(key.public_pem()), "key");
    const ota::Digest& id = store.keys()[0].id;
    return {id.begin(), id.begin() + 8};
}

// A COSE_Sign1 block over the encoded SUIT_Digest.
Item sign1(const Item& digest_item, PrivateKey& key) {
    const auto algorithm = key.is_rsa() ? ota::CoseAlgorithm::kPs256 : ota::CoseAlgorithm::kEsp256;
    const Item header =
        cbor::map({{cbor::number(1), cbor::number(static_cast<int64_t>(algorithm))}});
    ota::CoseSign1 block;
    block.protected_header = header;
    ota::Digest digest;
    require(ota::hash_to_be_signed(block, digest_item, digest), "signature");
    const Item unprotected = cbor::map({{cbor::number(4), cbor::bytes(key_id(key))}});
    return cbor::tag(18, cbor::array({cbor::bytes(header), unprotected, cbor::null(),
                                      cbor::bytes(key.sign(digest))}));
}

void check_component(const PackComponent& component) {
    const bool known = component.id == "app" || component.id == "cfg" || component.id == "stage" ||
                       is_inline(component) || is_board(component);
    if (!known) {
        throw Failure(Exit::kUsage, component.id + ": app, cfg, stage and settings are known");
    }
    if (component.payload.empty())
        throw Failure(Exit::kUsage, component.id + ": the file is empty");
    if (component.uri.empty()) return;
    ota::UriParts parts;
    const bool usable = component.uri.size() <= ota::kMaxUriParameter &&
                        ota::parse_uri(component.uri, parts) && parts.is_https() &&
                        parts.user_info.empty();
    if (!usable) {
        throw Failure(Exit::kUsage, fmt::format("{}: uri has to be https://host/path of at most {} "
                                                "characters, without user and password",
                                                component.id, ota::kMaxUriParameter));
    }
}

void check_settings(const PackPlan& plan) {
    if (plan.components.size() > 1) throw Failure(Exit::kUsage, "settings come alone");
    if (!plan.recipients.empty()) throw Failure(Exit::kUsage, "settings can't be encrypted");
    if (!plan.components[0].uri.empty()) {
        throw Failure(Exit::kUsage, "settings stand in the package: no uri");
    }
    if (plan.components[0].payload.size() > ota::kMaxContent) {
        throw Failure(Exit::kUsage, fmt::format("settings: {} bytes at most", ota::kMaxContent));
    }
}

void check_plan(const PackPlan& plan) {
    if (plan.components.empty()) throw Failure(Exit::kUsage, "nothing to pack");
    if (plan.components.size() > ota::kMaxComponents) {
        throw Failure(Exit::kUsage,
                      "more than sixteen components, boards and their stage included");
    }
    bool activates = false;
    for (const PackComponent& component : plan.components) check_component(component);
    for (size_t i = 0; i < plan.components.size(); ++i) {
        const PackComponent& component = plan.components[i];
        activates =
            activates || component.id == "app" || is_board(component) || is_inline(component);
        if (is_inline(component)) check_settings(plan);
        for (size_t k = 0; k < i; ++k) {
            const bool twice = plan.components[k].id == component.id &&
                               plan.components[k].board == component.board;
            if (twice) throw Failure(Exit::kUsage, component.id + ": named twice");
        }
    }
    if (!activates) {
        throw Failure(Exit::kUsage, ota::detail_text(ota::Detail::kNothingToActivate));
    }
    if (plan.sequence == 0) throw Failure(Exit::kUsage, "the sequence number is missing");
}

// The manifest of a package that is to be signed once more, or the reason why it is none.
ota::SuitPrefix open_package(const Buffer& package) {
    ota::SuitPrefix prefix;
    const ota::Status parsed = ota::parse_suit_prefix(package, prefix);
    if (parsed.is(ota::Code::kTryAgain)) throw Failure(Exit::kMalformed, "the package is cut off");
    require(parsed, "package");
    return prefix;
}

// What a device would not take is not written either.
void check_package(const Buffer& package) {
    const ota::SuitPrefix prefix = open_package(package);
    ota::AuthWrapper auth;
    require(ota::parse_auth_wrapper(prefix.auth, auth), "package");
    ota::SuitManifest parsed;
    require(parsed.parse(prefix, auth.digest), "package");
}

}  // namespace

Packed pack(const PackPlan& plan, std::vector<PrivateKey>& keys) {
    check_plan(plan);
    if (keys.empty() || keys.size() > ota::kMaxSignatures) {
        throw Failure(Exit::kUsage, "one to three keys sign a package");
    }
    const std::vector<Sent> sent = payloads_of(plan);
    const Item encoded = cbor::bytes(manifest(plan, sent));
    const Item digest = suit_digest(encoded);
    std::vector<Item> wrapper = {cbor::bytes(digest)};
    for (PrivateKey& key : keys) wrapper.push_back(cbor::bytes(sign1(digest, key)));
    std::vector<std::pair<Item, Item>> members = {
        {cbor::number(suit::kAuthWrapper), cbor::bytes(cbor::array(wrapper))},
        {cbor::number(suit::kManifest), encoded}};
    Packed out;
    size_t integrated = 0;
    for (size_t i = 0; i < plan.components.size(); ++i) {
        const PackComponent& component = plan.components[i];
        if (is_board(component) || is_inline(component)) continue;
        if (!component.uri.empty()) {
            out.elsewhere.push_back({component.id, component.uri, sent[i].bytes});
            continue;
        }
        members.emplace_back(cbor::text(payload_key(integrated++)), cbor::bytes(sent[i].bytes));
    }
    out.package = cbor::tag(suit::kTagEnvelope, cbor::map(members));
    check_package(out.package);
    return out;
}

Buffer add_signature(const Buffer& package, PrivateKey& key) {
    const ota::SuitPrefix prefix = open_package(package);
    ota::AuthWrapper auth;
    require(ota::parse_auth_wrapper(prefix.auth, auth), "package");
    if (auth.signatures.size() == ota::kMaxSignatures) {
        throw Failure(Exit::kRefused, "the package has three signatures already");
    }
    const Item digest(auth.digest_item.begin(), auth.digest_item.end());
    // The array of the wrapper with one more member.
    ota::CborReader reader(prefix.auth);
    const ota::Result<size_t> count = reader.array();
    require(count.status(), "package");
    Item wrapper = cbor::head(4, *count + 1);
    wrapper.insert(wrapper.end(), reader.rest().begin(), reader.rest().end());
    wrapper = cbor::join(wrapper, cbor::bytes(sign1(digest, key)));
    // Everything else stays byte for byte.
    const auto auth_at = static_cast<std::ptrdiff_t>(prefix.auth.data() - package.data());
    const auto head_at =
        auth_at - static_cast<std::ptrdiff_t>(cbor::head(2, prefix.auth.size()).size());
    Buffer out(package.begin(), package.begin() + head_at);
    out = cbor::join(out, cbor::bytes(wrapper));
    out.insert(out.end(),
               package.begin() + auth_at + static_cast<std::ptrdiff_t>(prefix.auth.size()),
               package.end());
    return out;
}

void add_boards(PackPlan& plan, const Buffer& image, const std::vector<uint8_t>& numbers) {
    plan.components.push_back({"stage", image, "", 0});
    for (const uint8_t number : numbers) {
        if (number == 0) throw Failure(Exit::kUsage, "boards are numbered from 1");
        plan.components.push_back({"bms", image, "", number});
    }
}

}  // namespace otactl
