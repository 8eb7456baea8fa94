// A thing's identity as bytes in an IdentityStore.
#pragma once

#include "base/fixed.hpp"
#include "ports/identity_store.hpp"
#include "sources/aws/aws_link.hpp"
#include "wire/device_key.hpp"

namespace ota {

struct ThingIdentity {
    FixedString<kMaxThingName> thing;  // empty: not registered yet
    FixedString<2048> certificate;     // PEM
    KeyPem key;
    FixedString<1024> token;  // of ownership, while it is not registered

    void clear() {
        thing.clear();
        certificate.clear();
        key.clear();
        token.clear();
    }
};

// Magic, four lengths, four texts, CRC-32.
inline constexpr size_t kMaxIdentityRecord = 4 + 8 + kMaxThingName + 2048 + 256 + 1024 + 4;

// How many bytes of out, which has kMaxIdentityRecord, it takes.
size_t encode_identity(const ThingIdentity& identity, MutableBytes out);
// kMalformed, and identity is empty: not whole.
Status decode_identity(Bytes bytes, ThingIdentity& identity);

// The identity of place, read by way of record, which has kMaxIdentityRecord bytes and is wiped.
// kMalformed: there is none that is whole. kStorage: as the store says.
Status load_identity(IdentityStore& store, IdentityPlace place, MutableBytes record,
                     ThingIdentity& identity);

}  // namespace ota
