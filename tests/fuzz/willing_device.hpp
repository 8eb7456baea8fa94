// A device that is at the package's mercy: it has every component, all conditions but some are
// true, and nothing is stored.
#pragma once

#include <cstdlib>

#include "package/suit_processor.hpp"
#include "safety/schedule.hpp"
#include "verify/suit_admission.hpp"

namespace fuzz {

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
        touch(order.encryption);
        return {};
    }
    ota::Status write(ota::ComponentRef, ota::Bytes content, ota::Bytes encryption) override {
        touch(content);
        touch(encryption);
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

inline void run(const ota::SuitManifest& manifest, ota::suit::Member section) {
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

// The sections of an update, one after the other.
inline void run_all(const ota::SuitManifest& manifest) {
    for (const ota::suit::Member section : {ota::suit::kPayloadFetch, ota::suit::kInstall,
                                            ota::suit::kValidate, ota::suit::kInvoke}) {
        run(manifest, section);
    }
    ota::VersionText version;
    (void)ota::version_text(manifest.version(), version);
}

}  // namespace fuzz
