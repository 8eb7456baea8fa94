#include "engine/session.hpp"

namespace ota {

bool SuitHosts::has(ComponentRef component) {
    return session_.has(component);
}

Result<bool> SuitHosts::match(ComponentRef component, const Digest& digest, uint64_t size) {
    return session_.match(component, digest, size);
}

Status SuitHosts::fetch(ComponentRef component, const FetchOrder& order) {
    return session_.fetch(component, order);
}

Status SuitHosts::copy(ComponentRef from, ComponentRef to, const FetchOrder& order) {
    return session_.copy(from, to, order);
}

Status SuitHosts::write(ComponentRef component, Bytes content, Bytes encryption) {
    return session_.write(component, content, encryption);
}

Result<bool> SuitHosts::check(const Condition& condition) {
    return session_.check(condition);
}

Status SuitHosts::wait(Bytes info) {
    return session_.wait(info);
}

Status SuitHosts::invoke(ComponentRef) {
    return {};  // the restart is the platform's step
}

}  // namespace ota
