#include "install/app_component.hpp"

namespace ota {

Status FlashImage::read_at(uint64_t offset, MutableBytes out) {
    if (offset > size() || out.size() > size() - offset) {
        return {Code::kOutOfRange, Origin::kInstall, Detail::kImageLength};
    }
    return flash_.read(static_cast<uint32_t>(offset), out);
}

Status AppComponent::activate(const VerifiedSet& verified) {
    if (verified.slot() != slots_.standby_id) return {Code::kInternal, Origin::kInstall};
    return boot_.arm_trial(verified.slot());
}

}  // namespace ota
