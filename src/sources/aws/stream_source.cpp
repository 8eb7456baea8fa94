#include "sources/aws/stream_source.hpp"

#include <bit>

#include "base/text.hpp"

namespace ota {
namespace {

constexpr uint64_t kLargestFile = uint64_t{kLastStreamBlock} * kStreamBlock;

// So many at least in a request, unless the file ends or there is nothing to give until then.
constexpr int kLeastBlocks = kStreamWindow / 2;

constexpr Status kAgain{Code::kTryAgain, Origin::kSource};

}  // namespace

Status StreamSource::start(const JobDocument& document, uint64_t offset, uint64_t length) {
    if (document.size > kLargestFile) {
        return {Code::kNoSpace, Origin::kSource, Detail::kImageSize};
    }
    // From its start it is looked at anew: the same name may be another file by now.
    const bool same = stream_.view() == document.stream.view() && file_ == document.file;
    if (!same || offset == 0) size_ = 0;
    stream_ = document.stream;
    file_ = document.file;
    position_ = offset;
    end_ = length == kToEnd ? kToEnd : offset + length;
    first_ = static_cast<uint32_t>(offset / kStreamBlock);
    have_ = asked_ = 0;
    is_open_ = true;
    is_describing_ = false;
    failure_ = {};
    heard();
    return {};
}

Status StreamSource::info(uint64_t& size, uint16_t& version) const {
    if (!failure_.ok()) return failure_;
    size = size_;
    version = version_;
    return size_ == 0 ? kAgain : kOkStatus;
}

// Which blocks of the window are wanted and not there.
uint8_t StreamSource::missing() const {
    const uint64_t stop = std::min(end_, size_);
    uint8_t out = 0;
    for (size_t k = 0; k < kStreamWindow; ++k) {
        const bool wanted = (first_ + k) * uint64_t{kStreamBlock} < stop;
        if (wanted && (have_ >> k & 1) == 0) out = static_cast<uint8_t>(out | 1U << k);
    }
    return out;
}

MutableBytes StreamSource::place(uint64_t block) {
    return MutableBytes(window_).subspan(block % kStreamWindow * kStreamBlock, kStreamBlock);
}

Result<size_t> StreamSource::read(MutableBytes out) {
    if (!is_open_) return Status{Code::kInternal, Origin::kSource};
    const uint64_t stop = std::min(end_, size_);
    if (size_ != 0 && position_ >= stop) return Status{Code::kEndOfData, Origin::kSource};
    OTA_TRY(step());
    if ((have_ & 1) == 0) return size_t{0};
    const auto in_block = static_cast<size_t>(position_ % kStreamBlock);
    const uint64_t left = std::min<uint64_t>(kStreamBlock - in_block, stop - position_);
    const auto n = static_cast<size_t>(std::min<uint64_t>(left, out.size()));
    const Bytes bytes = place(first_).subspan(in_block, n);
    std::copy(bytes.begin(), bytes.end(), out.begin());
    position_ += n;
    // It makes room at the window's end.
    if (position_ / kStreamBlock != first_) {
        ++first_;
        have_ >>= 1;
        asked_ >>= 1;
    }
    return n;
}

// Asks for what is missing: at first, when there is room, after a silence, and in each new
// connection.
Status StreamSource::step() {
    if (!failure_.ok()) return failure_;
    if (!link_.is_up()) return {};
    const bool is_lost = connection_ != link_.connection();
    const bool is_late = clock_.now() - heard_at_ > wait_;
    if (is_waiting() && (is_lost || is_late)) {
        is_describing_ = false;
        asked_ = 0;
        if (is_late) {
            wait_ = backoff_.next();
            ++silences_;
        }
    }
    if (size_ == 0) return is_describing_ ? kOkStatus : describe();
    auto wanted = static_cast<uint8_t>(missing() & ~asked_);
    // What a dead connection still delivers in the end is not to be the same window many times.
    if (silences_ > 1) wanted = static_cast<uint8_t>(asked_ == 0 ? wanted & -wanted : 0);
    const bool is_last = (first_ + kStreamWindow) * uint64_t{kStreamBlock} >= std::min(end_, size_);
    const bool is_stuck = asked_ == 0 && (have_ & 1) == 0;
    const bool is_worth_it = is_stuck || is_last || std::popcount(wanted) >= kLeastBlocks;
    return wanted != 0 && is_worth_it ? ask(wanted) : kOkStatus;
}

Status StreamSource::publish(std::string_view verb, Bytes payload) {
    FixedString<kMaxStreamId + 32> topic;
    topic.assign("streams/");
    topic.append(stream_.view());
    topic.append(verb);
    topic.append(codec_.topic_end());
    connection_ = link_.connection();
    heard_at_ = clock_.now();
    // A queue that is full has room later; the timer brings us back.
    (void)link_.publish(topic.view(), payload);
    return {};
}

Status StreamSource::describe() {
    is_describing_ = true;
    return publish("/describe/", codec_.describe_request());
}

Status StreamSource::ask(uint8_t wanted) {
    asked_ = static_cast<uint8_t>(asked_ | wanted);
    token_.clear();
    append_decimal(token_, ++token_number_ % 1000000);
    StreamRequest request;
    request.token = token_.view();
    request.file = file_;
    request.first = first_;
    request.wanted = {&wanted, 1};
    request.version = version_;
    std::array<uint8_t, StreamCodec::kLongestRequest> bytes{};
    OTA_TRY_ASSIGN(const size_t size, codec_.encode_request(request, bytes));
    return publish("/get/", Bytes(bytes).first(size));
}

// ---------------------------------------------------------------- what comes

void StreamSource::take(std::string_view topic, Bytes payload) {
    if (!is_open_ || !topic.starts_with(stream_.view())) return;
    topic.remove_prefix(stream_.view().size());
    if (!topic.ends_with(codec_.topic_end())) return;
    topic.remove_suffix(codec_.topic_end().size());
    if (topic == "/data/") return take_block(payload);
    if (topic == "/rejected/") return take_rejection(payload);
    if (topic != "/description/" || size_ != 0) return;
    StreamDescription description;
    if (!codec_.parse_description(payload, file_, description).ok()) return;
    if (description.size == 0 || description.size > kLargestFile) {
        failure_ = {Code::kIncompatible, Origin::kSource, Detail::kJobDocument};
        return;
    }
    size_ = description.size;
    version_ = static_cast<uint16_t>(description.version);
    heard();
}

// The peer is at work: its silence is measured from here.
void StreamSource::heard() {
    heard_at_ = clock_.now();
    silences_ = 0;
    backoff_.reset();
    wait_ = backoff_.next();
}

// Blocks are told by their number: one of an earlier request is as good as another.
void StreamSource::take_block(Bytes message) {
    StreamData data;
    const bool good = codec_.parse_data(message, data).ok() && data.file == file_;
    const uint64_t slot = data.block - first_;
    const bool wanted =
        good && data.block >= first_ && slot < kStreamWindow && (missing() >> slot & 1) != 0;
    const uint64_t length =
        wanted ? std::min<uint64_t>(kStreamBlock, size_ - data.block * kStreamBlock) : 0;
    if (!wanted || data.size != length) return;
    const MutableBytes block = place(data.block).first(static_cast<size_t>(length));
    if (!codec_.copy_payload(message, block).ok()) return;
    have_ = static_cast<uint8_t>(have_ | 1U << slot);
    asked_ = static_cast<uint8_t>(asked_ & ~have_);
    heard();
}

void StreamSource::take_rejection(Bytes message) {
    StreamRejection rejection;
    if (!codec_.parse_rejection(message, rejection).ok()) return;
    const std::string_view token = rejection.token.view();
    if (!token.empty() && token != token_.view()) return;  // of an earlier one
    const auto is = [&](std::string_view code) { return rejection.code.view() == code; };
    // It comes back by itself.
    if (is("InternalError") || is("RequestThrottled")) return;
    const bool changed = is("VersionMismatch") || is("ETagMismatch");
    // Whatever was read is of another file: the package is looked at from its start.
    failure_ = changed ? Status{Code::kMalformed, Origin::kSource, Detail::kFileChanged}
                       : Status{Code::kRefused, Origin::kSource, Detail::kStreamRefused};
    if (changed) size_ = 0;
}

}  // namespace ota
