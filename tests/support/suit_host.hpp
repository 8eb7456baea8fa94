// A device as a manifest sees it, in memory, and a reader that drives it through a whole file.
#pragma once

#include <string>
#include <utility>

#include "package/suit_envelope.hpp"
#include "package/suit_processor.hpp"
#include "support/image_factory.hpp"
#include "verify/manifest_signature.hpp"
#include "wire/sha256.hpp"

namespace test {

// A map for a handful of keys; rv32imafc's library has none.
template <typename Key, typename Value>
class SmallMap {
  public:
    Value& operator[](const Key& key) {
        for (auto& [own, value] : pairs_) {
            if (own == key) return value;
        }
        pairs_.emplace_back(key, Value());
        return pairs_.back().second;
    }
    bool operator==(const SmallMap&) const = default;

  private:
    std::vector<std::pair<Key, Value>> pairs_;  // in the order of their first use
};

class SuitHost final : public ota::ComponentHost, public ota::ConditionHost {
  public:
    using Key = std::pair<int, int>;
    static Key key_of(ota::ComponentRef component) {
        return {static_cast<int>(component.kind), component.number};
    }

    // ---- what the device is
    std::array<uint8_t, 16> vendor{};
    std::array<uint8_t, 16> class_id{};
    std::array<uint8_t, 16> module_class{};
    uint64_t now = 1800000000;
    uint64_t energy_mwh = 100000000;
    uint64_t stored_sequence = 1000;
    SmallMap<std::string, Buffer> web;
    Buffer after_delta;  // what a delta of any kind gives; the decoder is not this test's affair

    // ---- what happened to it
    SmallMap<Key, Buffer> components;
    size_t writes = 0;
    std::string log;

    // ---- the file under the reader
    ota::Bytes file;
    size_t at = 0;
    ota::SuitPayloadReader payloads;

    bool has(ota::ComponentRef component) override {
        return component.kind != ota::ComponentKind::kModule || component.number <= 12;
    }
    ota::Result<bool> match(ota::ComponentRef component, const ota::Digest& digest,
                            uint64_t size) override {
        ota::Digest own;
        const Buffer& held = components[key_of(component)];
        OTA_TRY(ota::sha256(held, own));
        return own == digest && held.size() == size;
    }
    ota::Status fetch(ota::ComponentRef component, const ota::FetchOrder& order) override {
        log += "fetch " + std::string(order.uri) + "\n";
        if (!order.uri.starts_with("#")) {
            const Buffer& found = web[std::string(order.uri)];
            return found.empty() ? missing() : store(component, found);
        }
        Buffer payload;
        OTA_TRY(take_payload(order.uri, payload));
        if (!order.arguments.empty()) return store(component, after_delta);
        if (payload.size() != order.size) {
            return {ota::Code::kMalformed, ota::Origin::kPackage, ota::Detail::kImageSize};
        }
        return store(component, payload);
    }
    ota::Status copy(ota::ComponentRef from, ota::ComponentRef to,
                     const ota::FetchOrder&) override {
        log += "copy to " + std::to_string(to.number) + "\n";
        return store(to, components[key_of(from)]);
    }
    ota::Status write(ota::ComponentRef component, ota::Bytes content, ota::Bytes) override {
        return store(component, Buffer(content.begin(), content.end()));
    }
    ota::Result<bool> check(const ota::Condition& condition) override {
        const auto is = [&](const std::array<uint8_t, 16>& id) {
            return std::equal(id.begin(), id.end(), condition.bytes.begin());
        };
        switch (condition.kind) {
            case ota::ConditionKind::kVendor:
                return is(vendor);
            case ota::ConditionKind::kClass:
                return is(condition.component.kind == ota::ComponentKind::kModule ? module_class
                                                                                  : class_id);
            case ota::ConditionKind::kUseBefore:
                return now < condition.number;
            case ota::ConditionKind::kMinimumBattery:
                return energy_mwh >= condition.number;
            default:
                log += "asked\n";
                return true;
        }
    }
    ota::Status wait(ota::Bytes) override {
        log += "wait\n";
        return {};
    }
    ota::Status invoke(ota::ComponentRef) override {
        log += "invoke\n";
        return {};
    }

    // The rest of the file, which nobody wants.
    ota::Status drain() {
        while (!payloads.is_done()) {
            Buffer ignored;
            OTA_TRY(next_payload(ignored));
        }
        if (at == file.size()) return {};
        return {ota::Code::kMalformed, ota::Origin::kPackage, ota::Detail::kTrailingBytes};
    }

  private:
    static ota::Status missing() {
        return {ota::Code::kMalformed, ota::Origin::kPackage, ota::Detail::kPayloadMissing};
    }
    ota::Status store(ota::ComponentRef component, const Buffer& bytes) {
        ++writes;
        components[key_of(component)] = bytes;
        return {};
    }
    ota::Status next_payload(Buffer& out) {
        while (!payloads.is_payload()) {
            if (payloads.is_done()) return missing();
            if (at == file.size()) return truncated();
            // In the smallest pieces.
            OTA_TRY_ASSIGN(const size_t n, payloads.feed_head(file.subspan(at, 1)));
            at += n;
        }
        if (payloads.left() > file.size() - at) return truncated();
        const ota::Bytes bytes = file.subspan(at, static_cast<size_t>(payloads.left()));
        out.assign(bytes.begin(), bytes.end());
        at += bytes.size();
        payloads.advance(bytes.size());
        return {};
    }
    ota::Status take_payload(std::string_view uri, Buffer& out) {
        while (true) {
            OTA_TRY(next_payload(out));
            if (payloads.key() == uri) return {};
        }
    }
    static ota::Status truncated() {
        return {ota::Code::kUnavailable, ota::Origin::kPackage, ota::Detail::kShortFile};
    }
};

// Prefix, signature, manifest, sequence number, then the sections of an update.
inline ota::Status install_suit(SuitHost& host, const Buffer& file, const ota::TrustStore& trusted,
                                size_t signatures = 1) {
    host.file = file;
    ota::SuitPrefix prefix;
    const ota::Status parsed = ota::parse_suit_prefix(file, prefix);
    if (parsed.is(ota::Code::kTryAgain)) {
        return {ota::Code::kMalformed, ota::Origin::kPackage, ota::Detail::kCborTruncated};
    }
    OTA_TRY(parsed);
    ota::AuthWrapper auth;
    OTA_TRY(ota::parse_auth_wrapper(prefix.auth, auth));
    OTA_TRY(ota::verify_manifest_signature(auth, trusted, signatures));
    ota::SuitManifest manifest;
    OTA_TRY(manifest.parse(prefix, auth.digest));
    if (manifest.sequence_number() < host.stored_sequence) {
        return {ota::Code::kIncompatible, ota::Origin::kVerify, ota::Detail::kSequenceNumber};
    }
    host.at = prefix.size;
    host.payloads.begin(prefix.payloads);
    ota::SuitProcessor processor(host, host);
    for (const ota::suit::Member section :
         {ota::suit::kPayloadFetch, ota::suit::kInstall, ota::suit::kValidate}) {
        processor.begin(manifest, section);
        ota::Status status;
        while (status.ok()) status = processor.step();
        if (!status.is(ota::Code::kEndOfData)) return status;
    }
    return host.drain();
}

}  // namespace test
