#include "sources/file/file_channel.hpp"

#include "base/hex.hpp"
#include "sources/file/name_match.hpp"

namespace ota {
namespace {

constexpr std::string_view kResult = ".result.json";

}  // namespace

FileChannel::FileChannel(FileStore& store, std::string_view path) : store_(store) {
    const size_t slash = path.rfind('/');
    directory_ = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
    wanted_ = path.substr(slash == std::string_view::npos ? 0 : slash + 1);
}

// Digests and results beside the package match a pattern like bess* too; they are no packages.
bool FileChannel::is_package_name(std::string_view name) const {
    return name_matches(wanted_, name) && !name_matches("*.sha256", name) &&
           !name_matches("*.md5", name) && !name_matches("*.result.json*", name);
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

void FileChannel::report(const Report& report) {
    // Where several files were looked at, the refused one is not known.
    const bool looked = report.attempt.phase == State::kChecking;
    if (looked || report.attempt.version.empty()) return;
    if (offered_ == 0 && !find_reported(report.attempt.build_id)) return;
    const size_t length = path_.view().size();
    if (path_.try_append(kResult)) (void)store_.replace(path_.view(), as_bytes(report.json));
    path_.truncate(length);
}

// After a restart: the package beside which lies a result about this build. One walk through the
// directory, and few files are opened.
bool FileChannel::find_reported(const Digest& build_id) {
    const bool found = look_for_reported(build_id);
    store_.close();
    return found;
}

bool FileChannel::look_for_reported(const Digest& build_id) {
    const auto wanted = hex_text(build_id);
    FixedString<kMaxFileName> name;
    size_t opened = 0;
    for (size_t i = 0; i < kMaxEntries && opened < kMaxOffers; ++i) {
        if (!store_.next(directory_, i == 0, name).ok()) return false;
        if (!name.view().ends_with(kResult)) continue;
        name.truncate(name.view().size() - kResult.size());
        if (!is_package_name(name.view())) continue;
        path_.assign(directory_);
        path_.append("/");
        path_.append(name.view());
        ++opened;
        if (speaks_of(wanted.view())) return true;
    }
    return false;
}

bool FileChannel::speaks_of(std::string_view build_id) {
    const size_t length = path_.view().size();
    const bool opened = path_.try_append(kResult) && store_.open(path_.view()).ok();
    path_.truncate(length);
    if (!opened) return false;
    std::array<uint8_t, 128> head{};
    const Result<size_t> n = store_.read_at(0, head);
    return n.ok() && field_text(Bytes(head).first(*n)).find(build_id) != std::string_view::npos;
}

bool FileChannel::arrived() {
    FixedString<kMaxFileName> name;
    const Status status = store_.next(directory_, true, name);
    store_.close();
    const bool present = status.ok() || status.is(Code::kEndOfData);
    const bool appeared = present && !present_ && looked_;
    present_ = present;
    looked_ = true;
    return appeared;
}

}  // namespace ota
