#include "sources/https/https_source.hpp"

#include "base/text.hpp"
#include "wire/sha256.hpp"

namespace ota {
namespace {

constexpr uint8_t kMaxRedirects = 10;   // as browsers and ESP-IDF have it, or less
constexpr int kReadsPerCall = 16;       // while only old bytes come
constexpr uint64_t kSignOfLife = 1024;  // bytes
constexpr uint64_t kLongestRetryAfter = 24ULL * 60 * 60;  // s; no server keeps a device off longer

constexpr Status fault(Code code, Detail detail) {
    return {code, Origin::kSource, detail};
}

// bytes=first-last, or bytes=first- (RFC 9110 14.2).
FixedString<48> range_text(uint64_t offset, uint64_t length) {
    FixedString<48> text("bytes=");
    append_decimal(text, offset);
    text.append("-");
    if (length != kToEnd) append_decimal(text, offset + length - 1);
    return text;
}

// Weak tags don't tell byte for byte the same (RFC 9110 8.8.3.2).
bool is_strong(std::string_view tag) {
    return tag.starts_with('"');
}

}  // namespace

// ---------------------------------------------------------------- ask

Status HttpsSource::start(const Fetch& fetch) {
    close();
    retry_after_ = 0;
    if (budget_.left(clock_.now()) == 0) {
        retry_after_ = budget_.until_next_day(clock_.now());
        return fault(Code::kUnavailable, Detail::kDailyLimit);
    }
    offset_ = fetch.offset;
    length_ = fetch.length;
    delivered_ = 0;
    redirects_ = 0;
    info_ = SourceInfo();
    OTA_TRY(open_location(fetch.where.uri, fetch.foreign));
    choose_known(fetch.known);
    return send();
}

Status HttpsSource::open_location(std::string_view uri, bool foreign) {
    UriParts parts;
    const bool parsed = uri.size() < kMaxUri && parse_uri(uri, parts) && parts.is_https();
    // Credentials in a package would be no secret, and would end up at the configured server.
    if (!parsed || (foreign && !parts.user_info.empty())) {
        return fault(Code::kRefused, Detail::kUriMalformed);
    }
    own_url_ = uri;
    if (!foreign) home_url_ = uri;
    url_.assign("https://");
    url_.append(parts.host);
    if (!parts.port.empty()) url_.append(":");
    url_.append(parts.port);
    if (parts.path.empty()) url_.append("/");
    url_.append(parts.path);
    url_.append(parts.query);

    const HttpCredentials& own = config_.credentials;
    SecretText<128> user(own.user);
    SecretText<128> password(own.password);
    UriParts home;
    (void)parse_uri(home_url_, home);
    if (own.user.empty() && !split_user_info(home.user_info, user, password)) {
        return fault(Code::kRefused, Detail::kUriMalformed);
    }
    if (!user.empty() && !basic_.set(user.view(), password.view())) {
        return fault(Code::kRefused, Detail::kUriMalformed);
    }
    Digest digest;
    OTA_TRY(sha256(as_bytes(uri), digest));
    const auto before = place_;
    std::copy_n(digest.begin(), place_.size(), place_.begin());
    if (place_ != before) current_.clear();
    return {};
}

void HttpsSource::choose_known(std::span<const Validator> known) {
    known_.clear();
    for (const Validator& validator : known) {
        if (validator.place != place_ || validator.tag.empty()) continue;
        if (!known_.empty()) known_.append(", ");
        known_.append(validator.tag.view());
    }
}

bool HttpsSource::is_own_origin() const {
    UriParts own;
    UriParts now;
    return parse_uri(home_url_, own) && parse_uri(url_.view(), now) && same_origin(own, now);
}

void HttpsSource::add_credentials(Fields& fields) const {
    const HttpCredentials& own = config_.credentials;
    if (!own.bearer_token.empty()) {
        (void)fields.push_back({"Authorization", "Bearer ", own.bearer_token});
    } else if (!basic_.empty()) {
        (void)fields.push_back({"Authorization", "Basic ", basic_.view()});
    }
    for (const HttpField& field : own.custom_fields) (void)fields.push_back(field);
}

Status HttpsSource::send() {
    const FixedString<48> range = range_text(offset_, length_);
    Fields fields;
    (void)fields.push_back({"User-Agent", "", "bess-ota"});
    // A compressed image could not be continued at an offset, and its length would be unknown.
    (void)fields.push_back({"Accept-Encoding", "", "identity"});
    (void)fields.push_back({"Range", "", range.view()});
    if (offset_ != 0 && is_strong(current_.view())) {
        (void)fields.push_back({"If-Range", "", current_.view()});
    }
    if (!known_.empty()) (void)fields.push_back({"If-None-Match", "", known_.view()});

    HttpRequest request;
    request.url = url_.c_str();
    request.wants_little = length_ != kToEnd;
    request.tls = config_.tls;
    request.tls.judged_at = floor_.judge_at(clock_.wall());
    if (is_own_origin()) {
        add_credentials(fields);
    } else {
        request.tls.client_cert_pem = request.tls.client_key_pem = nullptr;
        request.tls.pinned_key_sha256 = nullptr;
    }
    request.fields = {fields.begin(), fields.size()};
    head_.on_status(0);
    phase_ = Phase::kHead;
    return client_.start(request, head_);
}

void HttpsSource::close() {
    client_.close();
    phase_ = Phase::kClosed;
}

// ---------------------------------------------------------------- the answer

Status HttpsSource::info(SourceInfo& out) {
    const Status ready = advance();
    out = info_;
    return ready;
}

// Until the body begins: kTryAgain.
Status HttpsSource::advance() {
    if (phase_ == Phase::kBody) return {};
    if (phase_ == Phase::kClosed) return fault(Code::kInternal, Detail::kNone);
    OTA_TRY(clock_or(client_.await_head()));
    return judge_head();
}

Status HttpsSource::judge_head() {
    if (floor_.is_set(clock_.wall())) info_.proven_time = client_.proven_at();
    switch (head_.status()) {
        case 200:
            return take_whole();
        case 206:
            return take_range();
        case 301:
        case 302:
        case 303:
        case 307:
        case 308:
            return follow_redirect();
        case 304:
            if (known_.empty()) return fault(Code::kRefused, Detail::kHttpProtocol);
            describe_validator();
            return fault(Code::kNoUpdate, Detail::kNotModified);
        case 416:
            // The package ends before the wanted offset: it is another one now.
            return fault(Code::kMalformed, Detail::kFileChanged);
        default:
            return refuse();
    }
}

Status HttpsSource::follow_redirect() {
    if (++redirects_ > kMaxRedirects) return fault(Code::kRefused, Detail::kRedirectLimit);
    if (head_.location().empty() || !resolve_reference(url_, head_.location())) {
        return fault(Code::kRefused, Detail::kRedirectMalformed);
    }
    UriParts parts;
    if (!parse_uri(url_.view(), parts) || !parts.is_https()) {
        return fault(Code::kRefused, Detail::kRedirectInsecure);
    }
    OTA_TRY(send());
    return fault(Code::kTryAgain, Detail::kNone);
}

// 200: the server has no ranges, or the package is no longer what If-Range names.
Status HttpsSource::take_whole() {
    body_left_ = head_.content_length();
    info_.size = body_left_ == kUnknownLength ? 0 : body_left_;
    skip_ = offset_;
    skipped_ = 0;
    // What was read already comes first, and would use the day up again and again.
    if (!budget_.is_worth(skip_)) return fault(Code::kRefused, Detail::kDailyLimit);
    return describe();
}

Status HttpsSource::take_range() {
    const std::optional<ContentRange>& range = head_.content_range();
    if (!range || head_.malformed_range() || !range->satisfied || range->first != offset_) {
        return fault(Code::kRefused, Detail::kContentRange);
    }
    body_left_ = range->last - range->first + 1;
    const uint64_t announced = head_.content_length();
    if (body_left_ > length_ || (announced != kUnknownLength && announced != body_left_)) {
        return fault(Code::kRefused, Detail::kContentRange);
    }
    info_.size = range->total == kUnknownLength ? 0 : range->total;
    skip_ = 0;
    return describe();
}

// Everything that brings no package. Busy means that a retry makes sense.
Status HttpsSource::refuse() {
    switch (head_.status()) {
        case 401:
        case 407:
            return fault(Code::kUnauthenticated, Detail::kHttpUnauthorized);
        case 403:
            return fault(Code::kUnauthenticated, Detail::kHttpForbidden);
        case 404:
        case 410:
            return fault(Code::kRefused, Detail::kHttpNotFound);
        case 408:
        case 425:
        case 429:
        case 500:
        case 502:
        case 503:
        case 504: {
            retry_after_ = wanted_pause();
            return fault(Code::kBusy, Detail::kServerBusy);
        }
        default:
            return fault(Code::kRefused, Detail::kHttpStatus);
    }
}

// A date says nothing to a device whose clock is not set.
Millis HttpsSource::wanted_pause() const {
    const UnixTime wall = clock_.wall();
    const std::optional<UnixTime> now =
        floor_.is_set(wall) ? std::optional<UnixTime>(wall) : std::nullopt;
    return std::min(head_.retry_after(now).value_or(0), kLongestRetryAfter) * 1000;
}

void HttpsSource::describe_validator() {
    info_.validator.tag.assign(head_.entity_tag());
    info_.validator.place = place_;
}

// What is told about the package; its identity binds a later continuation to the same bytes.
Status HttpsSource::describe() {
    if (head_.is_encoded()) return fault(Code::kRefused, Detail::kContentEncoding);
    describe_validator();
    current_ = info_.validator.tag;
    info_.notes.assign(head_.notes());

    // Not the query: a signed URL is renewed without a change of what it names.
    UriParts own;
    (void)parse_uri(own_url_, own);
    RunningHash hash(PSA_ALG_SHA_256);
    OTA_TRY(hash.start());
    for (const std::string_view part : {own.host, own.path, head_.entity_tag()}) {
        OTA_TRY(hash.update(as_bytes(part)));
        OTA_TRY(hash.update(as_bytes("\n")));
    }
    if (head_.entity_tag().empty()) {
        std::array<uint8_t, 4> size;
        store_le32(size.data(), static_cast<uint32_t>(info_.size));
        OTA_TRY(hash.update(as_bytes(head_.last_modified())));
        OTA_TRY(hash.update(size));
    }
    OTA_TRY(hash.value(info_.identity));
    phase_ = Phase::kBody;
    return {};
}

// Dates that don't fit say more about a clock that nobody has set than about the certificate.
Status HttpsSource::clock_or(Status status) const {
    const bool dates = status.detail() == Detail::kCertificateNotYetValid ||
                       status.detail() == Detail::kCertificateExpired;
    if (dates && !floor_.is_set(clock_.wall())) {
        return fault(Code::kUnavailable, Detail::kClockNotSet);
    }
    return status;
}

// ---------------------------------------------------------------- the bytes

Result<size_t> HttpsSource::read(MutableBytes out) {
    const Status ready = advance();
    if (ready.is(Code::kTryAgain)) return size_t{0};
    if (!ready.ok()) return ready;
    for (int i = 0; i < kReadsPerCall; ++i) {
        const uint64_t skip_before = skip_;
        const Result<size_t> n = read_on(out);
        const bool only_skipped = n.ok() && *n == 0 && skip_ != skip_before;
        if (!only_skipped) return n;
    }
    return size_t{0};
}

Result<size_t> HttpsSource::read_on(MutableBytes out) {
    if (delivered_ == length_ || body_left_ == 0) return at_end();
    const uint64_t affordable = budget_.left(clock_.now());
    if (affordable == 0) {
        retry_after_ = budget_.until_next_day(clock_.now());
        return fault(Code::kUnavailable, Detail::kDailyLimit);
    }
    const uint64_t wanted = length_ == kToEnd ? kToEnd : skip_ + length_ - delivered_;
    const uint64_t most = std::min<uint64_t>({out.size(), affordable, body_left_, wanted});
    const Result<size_t> n = client_.read(out.first(static_cast<size_t>(most)));
    if (n.status().is(Code::kEndOfData)) return at_end();
    if (!n.ok()) return clock_or(n.status());
    budget_.spend(clock_.now(), *n);
    if (body_left_ != kUnknownLength) body_left_ -= *n;
    return *n == 0 ? n : skip(out.first(*n));
}

// Leaves out what was read before the connection broke. Only a fair amount of it counts as a sign
// of life: a peer that drips is as good as silent.
Result<size_t> HttpsSource::skip(MutableBytes bytes) {
    const size_t old = static_cast<size_t>(std::min<uint64_t>(skip_, bytes.size()));
    const size_t fresh = bytes.size() - old;
    skip_ -= old;
    skipped_ += old;
    if (fresh == 0) {
        if (skipped_ < kSignOfLife) return size_t{0};
        skipped_ = 0;
        return fault(Code::kTryAgain, Detail::kNone);
    }
    std::memmove(bytes.data(), bytes.data() + old, fresh);
    delivered_ += fresh;
    return fresh;
}

// An end before the announced one is a broken connection, whatever the transport says.
Status HttpsSource::at_end() const {
    const bool whole = info_.size == 0 || offset_ + delivered_ >= info_.size;
    if (delivered_ == length_ || (whole && skip_ == 0))
        return fault(Code::kEndOfData, Detail::kNone);
    return fault(Code::kUnavailable, Detail::kConnectionLost);
}

}  // namespace ota
