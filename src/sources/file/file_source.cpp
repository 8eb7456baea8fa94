#include "sources/file/file_source.hpp"

#include "base/hex.hpp"
#include "wire/sha256.hpp"

namespace ota {
namespace {

constexpr Status fault(Code code, Detail detail) {
    return {code, Origin::kSource, detail};
}

// A directory entry may lie about the size (field case H07); no slot is larger than this.
constexpr uint64_t kMaxFile = 128ULL * 1024 * 1024;
// sha256sum writes 64 digits, two blanks and the name.
constexpr size_t kMaxSidecar = 64 + 2 + kMaxFileName + 2;

// The digits, alone or followed by white space and the name.
bool parse_sidecar(std::string_view text, MutableBytes digest) {
    const std::string_view digits = text.substr(0, digest.size() * 2);
    const std::string_view rest = text.substr(digits.size());
    const bool ends =
        rest.empty() || rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\r' || rest[0] == '\n';
    return ends && parse_hex(digits, digest);
}

}  // namespace

Status FileSource::start(const Fetch& fetch) {
    const Location& where = fetch.where;
    info_ = SourceInfo();
    position_ = fetch.offset;
    OTA_TRY(read_sidecars(where.uri));
    OTA_TRY(store_.open(where.uri));
    OTA_TRY(store_.stat(stat_));
    if (stat_.size > kMaxFile) return fault(Code::kMalformed, Detail::kFileTooLarge);
    if (position_ > stat_.size) return fault(Code::kMalformed, Detail::kFileChanged);

    end_ = position_ + std::min(fetch.length, stat_.size - position_);
    info_.size = stat_.size;
    std::array<uint8_t, 24> state{};
    store_le32(&state[0], static_cast<uint32_t>(stat_.size));
    store_le32(&state[8], static_cast<uint32_t>(stat_.modified));
    store_le32(&state[12], static_cast<uint32_t>(stat_.modified >> 32));
    Digest name;
    OTA_TRY(sha256(as_bytes(where.uri), name));
    std::copy_n(name.begin(), 8, state.begin() + 16);
    return sha256(state, info_.identity);
}

Status FileSource::read_sidecars(std::string_view path) {
    Digest sha{};
    std::array<uint8_t, 16> md5{};
    bool found = false;
    OTA_TRY(read_sidecar(path, ".sha256", sha, found));
    if (found) info_.expected_sha256 = sha;
    OTA_TRY(read_sidecar(path, ".md5", md5, found));
    if (found) info_.expected_md5 = md5;
    return {};
}

Status FileSource::read_sidecar(std::string_view path, std::string_view extension,
                                MutableBytes digest, bool& found) {
    found = false;
    FixedString<kMaxPath> name(path);
    if (!name.try_append(extension)) return fault(Code::kOutOfRange, Detail::kFileNotFound);
    const Status opened = store_.open(name.view());
    if (opened.detail() == Detail::kFileNotFound) return {};
    OTA_TRY(opened);
    std::array<uint8_t, kMaxSidecar> text;
    const Result<size_t> n = store_.read_at(0, text);
    store_.close();
    if (!n.ok()) return n.status();
    found = parse_sidecar({reinterpret_cast<const char*>(text.data()), *n}, digest);
    return found ? kOkStatus : fault(Code::kMalformed, Detail::kSidecarMalformed);
}

Result<size_t> FileSource::read(MutableBytes out) {
    FileStat now;
    OTA_TRY(store_.stat(now));
    if (now != stat_) return fault(Code::kMalformed, Detail::kFileChanged);
    if (position_ == end_) return Status{Code::kEndOfData, Origin::kSource};
    const auto wanted = static_cast<size_t>(std::min<uint64_t>(out.size(), end_ - position_));
    OTA_TRY_ASSIGN(const size_t n, store_.read_at(position_, out.first(wanted)));
    if (n == 0 || n > wanted) return fault(Code::kUnavailable, Detail::kShortFile);
    position_ += n;
    return n;
}

Status FileSource::info(SourceInfo& out) {
    out = info_;
    return {};
}

}  // namespace ota
