// Any bytes as an envelope: prefix, wrapper, payloads, and, as if they were signed, manifest and
// commands. Bounded, inside the buffer, and no payload outside its own bytes.
#include "fuzz/willing_device.hpp"
#include "wire/sha256.hpp"
#include "wire/suit_auth.hpp"

namespace {

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
    fuzz::run_all(manifest);
    return 0;
}
