#include "sources/aws/identity_record.hpp"

#include "base/crc32.hpp"

namespace ota {
namespace {

constexpr std::string_view kMagic = "BID1";
constexpr Status kDamaged{Code::kMalformed, Origin::kSource};

class Writer {
  public:
    explicit Writer(MutableBytes out) : out_(out) {}
    void put(Bytes bytes) {
        std::copy(bytes.begin(), bytes.end(), out_.begin() + static_cast<std::ptrdiff_t>(at_));
        at_ += bytes.size();
    }
    void put_text(std::string_view text) {
        std::array<uint8_t, 2> length;
        store_be16(length.data(), static_cast<uint16_t>(text.size()));
        put(length);
        put(as_bytes(text));
    }
    Bytes bytes() const { return out_.first(at_); }

  private:
    MutableBytes out_;
    size_t at_ = 0;
};

// Takes a text off bytes; false: it is longer than they are, or than out.
template <size_t N>
bool take_text(Bytes& bytes, FixedString<N>& out) {
    if (bytes.size() < 2) return false;
    const size_t length = load_be16(bytes.data());
    if (length > N || length > bytes.size() - 2) return false;
    out.assign(as_text(bytes.subspan(2, length)));
    bytes = bytes.subspan(2 + length);
    return true;
}

}  // namespace

size_t encode_identity(const ThingIdentity& identity, MutableBytes out) {
    Writer writer(out);
    writer.put(as_bytes(kMagic));
    writer.put_text(identity.thing.view());
    writer.put_text(identity.certificate.view());
    writer.put_text(identity.key.view());
    writer.put_text(identity.token.view());
    std::array<uint8_t, 4> sum;
    store_be32(sum.data(), crc32(0, writer.bytes()));
    writer.put(sum);
    return writer.bytes().size();
}

Status decode_identity(Bytes bytes, ThingIdentity& identity) {
    identity.clear();
    if (bytes.size() < kMagic.size() + 4) return kDamaged;
    Bytes body = bytes.first(bytes.size() - 4);
    const bool is_ours =
        as_text(body).starts_with(kMagic) && crc32(0, body) == load_be32(bytes.last(4).data());
    if (!is_ours) return kDamaged;
    body = body.subspan(kMagic.size());
    const bool is_whole = take_text(body, identity.thing) &&
                          take_text(body, identity.certificate) && take_text(body, identity.key) &&
                          take_text(body, identity.token) && body.empty();
    if (is_whole) return {};
    identity.clear();
    return kDamaged;
}

Status load_identity(IdentityStore& store, IdentityPlace place, MutableBytes record,
                     ThingIdentity& identity) {
    OTA_TRY_ASSIGN(const size_t size, store.load(place, record));
    const Status read =
        size <= record.size() ? decode_identity(record.first(size), identity) : kDamaged;
    mbedtls_platform_zeroize(record.data(), record.size());
    return read;
}

}  // namespace ota
