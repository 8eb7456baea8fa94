// Any bytes as an envelope: prefix, wrapper, and, as if they were signed, manifest and commands on
// a device that is at the package's mercy. Bounded, inside the buffer, and no payload outside its
// own bytes.
#include <cstdlib>

#include "safety/schedule.hpp"
#include "support/suit_host.hpp"
#include "verify/suit_admission.hpp"

namespace {

// Both sections and all conditions are true; nothing is stored.
class Willing final : public ota::ComponentHost, public ota::ConditionHost {
  public:
    bool has(ota::ComponentRef) override { return true; }
    ota::Result<bool> match(ota::ComponentRef, const ota::Digest& digest, uint64_t) override {
        return (digest[0] & 1) == 0;
    }
    ota::Status fetch(ota::ComponentRef, const ota::FetchOrder& order) override {
        touch(order.arguments);
        touch(order.encryption);
        touch(ota::as_bytes(order.uri));
        return {};
    }
    ota::Status copy(ota::ComponentRef, ota::ComponentRef, const ota::FetchOrder& order) override {
        touch(order.arguments);
        return {};
    }
    ota::Status write(ota::ComponentRef, ota::Bytes content) override {
        touch(content);
        return {};
    }
    ota::Result<bool> check(const ota::Condition& condition) override {
        touch(condition.bytes);
        if (condition.kind == ota::ConditionKind::kVersion) {
            const ota::Result<bool> result = ota::version_matches(condition.bytes, "1.2.3-rc.4");
            return result.ok() && *result;
        }
        return true;
    }
    ota::Status wait(ota::Bytes info) override {
        const ota::Status status = ota::wait_is_over(info, {1800000000, true, true});
        return status.is(ota::Code::kTryAgain) ? ota::Status() : status;
    }
    ota::Status invoke(ota::ComponentRef) override { return {}; }

  private:
    // Reads every byte, so that the sanitizer sees a view that leaves its buffer.
    void touch(ota::Bytes bytes) {
        for (const uint8_t byte : bytes) sum_ = static_cast<uint8_t>(sum_ + byte);
    }
    volatile uint8_t sum_ = 0;
};

void run(const ota::SuitManifest& manifest, ota::suit::Member section) {
    Willing device;
    ota::SuitProcessor processor(device, device);
    processor.begin(manifest, section);
    ota::Status status;
    // Each command may be for sixteen components.
    for (int i = 0; status.ok(); ++i) {
        if (i > 100000) std::abort();
        status = processor.step();
    }
}

void read_payloads(ota::Bytes file, const ota::SuitPrefix& prefix) {
    ota::SuitPayloadReader reader;
    reader.begin(prefix.payloads);
    size_t at = prefix.size;
    while (!reader.is_done() && at < file.size()) {
        const ota::Result<size_t> n = reader.feed_head(file.subspan(at, 1));
        if (!n.ok()) return;
        at += *n;
        if (!reader.is_payload()) continue;
        if (reader.left() > file.size() - at) return;
        at += static_cast<size_t>(reader.left());
        reader.advance(reader.left());
    }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    return psa_crypto_init() == PSA_SUCCESS ? 0 : 1;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const ota::Bytes file(data, size);
    ota::SuitPrefix prefix;
    if (!ota::parse_suit_prefix(file, prefix).ok()) return 0;
    if (prefix.size > size || prefix.size > ota::kMaxEnvelopePrefix) std::abort();
    ota::AuthWrapper auth;
    if (ota::parse_auth_wrapper(prefix.auth, auth).ok()) {
        ota::Digest digest;
        for (const ota::CoseSign1& block : auth.signatures) {
            (void)ota::hash_to_be_signed(block, auth.digest_item, digest);
        }
    }
    read_payloads(file, prefix);
    ota::Digest digest;
    if (!ota::sha256(prefix.manifest_with_head, digest).ok()) std::abort();
    ota::SuitManifest manifest;
    if (!manifest.parse(prefix, digest).ok()) return 0;
    for (const ota::suit::Member section : {ota::suit::kPayloadFetch, ota::suit::kInstall,
                                            ota::suit::kValidate, ota::suit::kInvoke}) {
        run(manifest, section);
    }
    ota::VersionText version;
    (void)ota::version_text(manifest.version(), version);
    return 0;
}
