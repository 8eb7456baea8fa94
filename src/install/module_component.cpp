#include "install/module_component.hpp"

namespace ota {
namespace {

constexpr Status kAgain{Code::kTryAgain, Origin::kModules};
constexpr uint8_t kAccessLevel = 0x11;  // of service 27, what the key is computed over

}  // namespace

Status ModuleComponent::version(uint8_t number, VersionText& out) {
    OTA_TRY(ask({BoardOrder::Kind::kVersion, number}));
    out = exchange_.answer().version;
    return {};
}

Result<bool> ModuleComponent::match(uint8_t number, const Digest& digest, uint64_t size) {
    if (size > UINT32_MAX) return false;
    OTA_TRY(ask({BoardOrder::Kind::kMatch, number, 0, digest, static_cast<uint32_t>(size)}));
    return exchange_.answer().holds;
}

Status ModuleComponent::install(uint8_t number, uint8_t next, ImageReader& image,
                                const Digest& digest, uint64_t size) {
    if (size > UINT32_MAX) return {Code::kNoSpace, Origin::kModules, Detail::kImageSize};
    if (is_asked_) {
        const Status filled = fill_blocks(image, size);
        if (!filled.ok()) {
            abort();
            return filled;
        }
    }
    return ask({BoardOrder::Kind::kInstall, number, next, digest, static_cast<uint32_t>(size)});
}

void ModuleComponent::abort() {
    exchange_.let_go();
    is_asked_ = false;
}

// The first call hands the order over; the others look whether it was answered.
Status ModuleComponent::ask(const BoardOrder& order) {
    answer_keys();
    if (!exchange_.is_free()) return kAgain;
    if (!is_asked_) {
        exchange_.ask(order);
        is_asked_ = true;
        return kAgain;
    }
    is_asked_ = false;
    return exchange_.answer().status;
}

// HMAC-SHA-256 over seed, level and serial number, the first 16 bytes (docs/can-profile.md).
void ModuleComponent::answer_keys() {
    for (BoardKey& key : exchange_.keys) {
        const BoardKey::Question* const question = key.wanted();
        if (question == nullptr) continue;
        FixedVector<uint8_t, BoardKey::kSeed + 1 + BoardKey::kLongestSerial> message;
        for (const uint8_t byte : question->seed) (void)message.push_back(byte);
        (void)message.push_back(kAccessLevel);
        for (const uint8_t byte : as_bytes(question->serial.view())) (void)message.push_back(byte);
        Digest mac;
        size_t size = 0;
        const bool done = key_ != 0 && psa_mac_compute(key_, PSA_ALG_HMAC(PSA_ALG_SHA_256),
                                                       message.begin(), message.size(), mac.data(),
                                                       mac.size(), &size) == PSA_SUCCESS;
        key.answer(done ? Bytes(mac).first(BoardKey::kSize) : Bytes());
    }
}

// What the link has asked for of an order that was given up since may lie outside of this image: it
// asks anew.
Status ModuleComponent::fill_blocks(ImageReader& image, uint64_t size) {
    for (ImageBlock& block : exchange_.blocks) {
        if (!block.is_wanted()) continue;
        const MutableBytes room = block.room();
        if (block.offset() + uint64_t{room.size()} <= size) {
            OTA_TRY(image.read_at(block.offset(), room));
        }
        block.filled();
    }
    return {};
}

}  // namespace ota
