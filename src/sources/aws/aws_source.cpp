#include "sources/aws/aws_source.hpp"

#include <cstdio>

#include "wire/sha256.hpp"

namespace ota {
namespace {

constexpr uint8_t kMostRenewals = 3;
// Of the start of a package: header and manifest.
constexpr uint64_t kLongestLook = build::kManifestPrefix;

}  // namespace

Status AwsSource::start(const Fetch& fetch) {
    position_ = fetch.offset;
    is_look_ = fetch.length != kToEnd && fetch.offset + fetch.length <= kLongestLook;
    renews_ = compares_ = false;
    if (fetch.offset == 0) {
        renewals_ = 0;
        identity_.reset();
    }
    if (is_web()) {
        fetch_ = fetch;
        fetch_.known = {};
        fetch_.foreign = true;
        return start_web();
    }
    if (jobs_.document().stream.empty()) {
        return {Code::kIncompatible, Origin::kSource, Detail::kNoHttpsSource};
    }
    return stream_.start(jobs_.document(), fetch.offset, fetch.length);
}

// From where it is, with the URL as it is now.
Status AwsSource::start_web() {
    Fetch rest = fetch_;
    rest.where.uri = jobs_.document().url.view();
    rest.offset = position_;
    if (fetch_.length != kToEnd) rest.length = fetch_.offset + fetch_.length - position_;
    return web_->start(rest);
}

// A pre-signed URL has expired: the same job has a fresh one. kTryAgain: it is waited for.
Status AwsSource::renew_or(Status status) {
    if (!renews_) {
        const bool is_over = !status.ok() && status.detail() == Detail::kHttpForbidden;
        if (!is_over || renewals_ == kMostRenewals) return status;
        ++renewals_;
        renews_ = true;
        jobs_.ask_document();
    }
    if (!jobs_.has_document()) return {Code::kTryAgain, Origin::kSource};
    renews_ = false;
    compares_ = identity_.has_value();
    OTA_TRY(start_web());
    return {Code::kTryAgain, Origin::kSource};
}

Result<size_t> AwsSource::read(MutableBytes out) {
    jobs_.step();
    if (jobs_.is_gone()) return Status{Code::kCancelled, Origin::kSource, Detail::kJobGone};
    if (!is_look_) tell_progress();
    if (!is_web()) {
        const Result<size_t> n = stream_.read(out);
        if (n.ok()) position_ += *n;
        return n;
    }
    if (compares_) {
        const Status same = is_same_file();
        if (same.is(Code::kTryAgain)) return size_t{0};
        OTA_TRY(same);
    }
    const Result<size_t> n = renews_ ? Result<size_t>(size_t{0}) : web_->read(out);
    const Status status = renew_or(n.status());
    if (status.is(Code::kTryAgain)) return size_t{0};
    if (!status.ok()) return status;
    position_ += *n;
    if (*n != 0) renewals_ = 0;
    return n;
}

// Behind the new URL: no byte of another file is passed on.
Status AwsSource::is_same_file() {
    SourceInfo again;
    OTA_TRY(renew_or(web_->info(again)));
    if (again.identity != *identity_) {
        return {Code::kMalformed, Origin::kSource, Detail::kFileChanged};
    }
    compares_ = false;
    return {};
}

void AwsSource::tell_progress() {
    const uint64_t size = jobs_.document().size;
    const uint64_t quarter = size == 0 ? 0 : std::min<uint64_t>(position_ * 4 / size, 3);
    jobs_.begin_fetch(static_cast<uint8_t>(quarter * 25));
}

// By what the job says of it: a URL is another one each time, and its file the same.
Status AwsSource::info(SourceInfo& out) {
    jobs_.step();
    if (jobs_.is_gone()) return {Code::kCancelled, Origin::kSource, Detail::kJobGone};
    const JobDocument& document = jobs_.document();
    uint16_t version = 0;
    if (is_web()) {
        OTA_TRY(renew_or(renews_ ? kOkStatus : web_->info(out)));
        identity_ = out.identity;
        out.validator = {};  // of one URL alone
    } else {
        (void)stream_.read({});  // asks for what is missing
        OTA_TRY(stream_.info(out.size, version));
    }
    if (document.size != 0 && out.size != 0 && document.size != out.size) {
        return {Code::kIncompatible, Origin::kSource, Detail::kImageSize};
    }
    if (document.sha256) out.expected_sha256 = document.sha256;
    out.file_signature = document.signature.view();
    if (is_web()) return {};
    FixedString<kMaxStreamId + 64> name;
    name.assign("aws-iot stream ");
    name.append(document.stream.view());
    std::array<char, 48> rest{};
    (void)std::snprintf(rest.data(), rest.size(), " %u %u %llu",
                        static_cast<unsigned>(document.file), static_cast<unsigned>(version),
                        static_cast<unsigned long long>(out.size));
    name.append(rest.data());
    return sha256(as_bytes(name.view()), out.identity);
}

void AwsSource::close() {
    stream_.close();
    if (web_ != nullptr) web_->close();
}

}  // namespace ota
