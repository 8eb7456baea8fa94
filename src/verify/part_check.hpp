#pragma once

#include <optional>

#include "ports/component_ref.hpp"
#include "ports/image.hpp"
#include "wire/sha256.hpp"

namespace ota {

// Digests of what components without an image format hold, by the bytes read back from where they
// are stored. One component is read at a time; what was found out of the others is kept.
class PartCheck final : public ReadBackSink {
  public:
    // size bytes of this component follow. What was known of it is forgotten.
    Status begin(ComponentKind kind, uint64_t size);
    Status on_read_back(Bytes bytes) override;

    // What the component holds was changed, or may have been.
    void forget(ComponentKind kind) { proof_of(kind).reset(); }
    void forget_all() { proofs_ = {}; }

    // Empty: not read as a whole.
    std::optional<Digest> digest(ComponentKind kind, uint64_t size) const;

  private:
    struct Proof {
        uint64_t size = 0;
        Digest digest{};
    };
    // app/run, cfg, stage
    static constexpr size_t kParts = 3;
    std::optional<Proof>& proof_of(ComponentKind kind);

    RunningHash hash_{PSA_ALG_SHA_256};
    ComponentKind kind_ = ComponentKind::kConfig;
    uint64_t size_ = 0;
    uint64_t position_ = 0;
    std::array<std::optional<Proof>, kParts> proofs_{};
};

}  // namespace ota
