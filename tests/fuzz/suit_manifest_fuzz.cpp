// Any bytes as a manifest whose signature holds: looked through as a whole, then its commands are
// run. What the look let through has to come to an end.
#include <vector>

#include "fuzz/willing_device.hpp"
#include "support/suit_factory.hpp"
#include "wire/sha256.hpp"

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    return psa_crypto_init() == PSA_SUCCESS ? 0 : 1;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const test::Buffer whole = test::cbor::bytes({data, data + size});
    ota::SuitPrefix prefix;
    prefix.whole = prefix.manifest_with_head = whole;
    prefix.manifest = ota::Bytes(whole).last(size);
    prefix.size = whole.size();
    ota::Digest digest;
    if (!ota::sha256(whole, digest).ok()) std::abort();
    ota::SuitManifest manifest;
    if (manifest.parse(prefix, digest).ok()) fuzz::run_all(manifest);
    return 0;
}
