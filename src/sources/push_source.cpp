#include "sources/push_source.hpp"

namespace ota {

Status PushSource::start(const Fetch& fetch) {
    if (fetch.offset > offer_.size) {
        return {Code::kMalformed, Origin::kSource, Detail::kShortFile};
    }
    end_ = std::min<uint64_t>(offer_.size, fetch.offset + std::min(fetch.length, kToEnd / 2));
    keep_ = fetch.length <= PushWindow::kCapacity;
    window_.seek(static_cast<uint32_t>(fetch.offset));
    return {};
}

Result<size_t> PushSource::read(MutableBytes out) {
    const uint64_t left = end_ - window_.position();
    if (left == 0) return Status{Code::kEndOfData, Origin::kSource};
    return window_.read(out.first(static_cast<size_t>(std::min<uint64_t>(out.size(), left))),
                        keep_);
}

Status PushSource::info(SourceInfo& out) {
    out = SourceInfo();
    out.size = offer_.size;
    out.identity = offer_.digest;
    if (offer_.digest != Digest{}) out.expected_sha256 = offer_.digest;
    return {};
}

}  // namespace ota
