#include "verify/part_check.hpp"

namespace ota {
namespace {

constexpr size_t index_of(ComponentKind kind) {
    return static_cast<size_t>(kind) - static_cast<size_t>(ComponentKind::kAppRunning);
}

}  // namespace

std::optional<PartCheck::Proof>& PartCheck::proof_of(ComponentKind kind) {
    const size_t index = index_of(kind);
    OTA_ASSERT(index < kParts);
    return proofs_[index];
}

Status PartCheck::begin(ComponentKind kind, uint64_t size) {
    forget(kind);
    kind_ = kind;
    size_ = size;
    position_ = 0;
    return hash_.start();
}

Status PartCheck::on_read_back(Bytes bytes) {
    if (bytes.size() > size_ - position_) {
        return {Code::kMalformed, Origin::kVerify, Detail::kImageSize};
    }
    OTA_TRY(hash_.update(bytes));
    position_ += bytes.size();
    if (position_ != size_) return {};
    Proof proof;
    proof.size = size_;
    OTA_TRY(hash_.value(proof.digest));
    proof_of(kind_) = proof;
    return {};
}

std::optional<Digest> PartCheck::digest(ComponentKind kind, uint64_t size) const {
    const size_t index = index_of(kind);
    if (index >= kParts || !proofs_[index] || proofs_[index]->size != size) return std::nullopt;
    return proofs_[index]->digest;
}

}  // namespace ota
