#include "sources/file/file_channel.hpp"

#include "sources/file/name_match.hpp"

namespace ota {

FileChannel::FileChannel(FileStore& store, std::string_view path) : store_(store) {
    const size_t slash = path.rfind('/');
    directory_ = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
    wanted_ = path.substr(slash == std::string_view::npos ? 0 : slash + 1);
}

// Digests beside the package match a pattern like bess* too; they are no packages.
bool FileChannel::is_package_name(std::string_view name) const {
    return name_matches(wanted_, name) && !name_matches("*.sha256", name) &&
           !name_matches("*.md5", name);
}

// The greatest matching name that is smaller than the one offered last.
Result<bool> FileChannel::find_next() {
    bool found = false;
    FixedString<kMaxFileName> name;
    for (size_t i = 0; i < kMaxEntries; ++i) {
        const Status status = store_.next(directory_, i == 0, name);
        if (status.is(Code::kEndOfData)) break;
        if (!status.ok()) return status;
        if (!is_package_name(name.view())) continue;
        if (offered_ != 0 && !natural_less(name.view(), previous_.view())) continue;
        if (found && !natural_less(candidate_.view(), name.view())) continue;
        candidate_ = name;
        found = true;
    }
    return found;
}

Result<bool> FileChannel::poll(Offer& offer) {
    if (offered_ == kMaxOffers) return false;
    const Result<bool> found = find_next();
    if (!found.ok()) {
        const bool nothing_there = found.status().is(Code::kUnavailable) &&
                                   found.status().detail() != Detail::kFileReadError;
        // No card is no fault of the update: nothing is offered.
        if (nothing_there) return Status{Code::kNoUpdate, Origin::kSource, found.status().detail()};
        return found.status();
    }
    if (!*found) {
        if (offered_ != 0) return false;
        return Status{Code::kNoUpdate, Origin::kSource, Detail::kFileNotFound};
    }
    ++offered_;
    previous_ = candidate_;
    path_.assign(directory_);
    path_.append("/");
    path_.append(candidate_.view());
    offer.where.uri = path_.view();
    return true;
}

bool FileChannel::arrived() {
    FixedString<kMaxFileName> name;
    const Status status = store_.next(directory_, true, name);
    const bool present = status.ok() || status.is(Code::kEndOfData);
    const bool appeared = present && !present_ && looked_;
    present_ = present;
    looked_ = true;
    return appeared;
}

}  // namespace ota
