// The module boards as the engine sees them.
#pragma once

#include <psa/crypto.h>

#include "install/module_exchange.hpp"
#include "ports/module_boards.hpp"

namespace ota {

// Engine context. The conversation itself is ModuleLink's, in the link context.
class ModuleComponent final : public ModuleBoards {
  public:
    // count: boards there are. key: opens them, HMAC, PSA_ALG_HMAC(PSA_ALG_SHA_256); 0 = none.
    ModuleComponent(ModuleExchange& exchange, uint8_t count, psa_key_id_t key)
        : exchange_(exchange), count_(count), key_(key) {}

    bool has(uint8_t number) const override { return number >= 1 && number <= count_; }
    Status version(uint8_t number, VersionText& out) override;
    Result<bool> match(uint8_t number, const Digest& digest, uint64_t size) override;
    Status install(uint8_t number, uint8_t next, ImageReader& image, const Digest& digest,
                   uint64_t size) override;
    void abort() override;

  private:
    Status ask(const BoardOrder& order);
    void answer_keys();
    Status fill_blocks(ImageReader& image, uint64_t size);

    ModuleExchange& exchange_;
    const uint8_t count_;
    const psa_key_id_t key_;
    bool is_asked_ = false;
};

}  // namespace ota
