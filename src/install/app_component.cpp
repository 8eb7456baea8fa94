#include "install/app_component.hpp"

namespace ota {

Status AppComponent::activate(const VerifiedSet& verified) {
    if (verified.slot() != slots_.standby_id) return {Code::kInternal, Origin::kInstall};
    return boot_.arm_trial(verified.slot());
}

}  // namespace ota
