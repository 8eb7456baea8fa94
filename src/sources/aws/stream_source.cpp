#include "sources/aws/stream_source.hpp"

#include <bit>
#include <cstdio>

namespace ota {
namespace {

constexpr uint64_t kLargestFile = uint64_t{kLastStreamBlock} * kStreamBlock;

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
    have_ = 0;
    is_open_ = true;
    is_asked_ = false;
    failure_ = {};
    wait_ = 0;
    backoff_.reset();
    return {};
}

Status StreamSource::info(uint64_t& size, uint16_t& version) const {
    if (!failure_.ok()) return failure_;
    size = size_;
    version = version_;
    return size_ == 0 ? kAgain : kOkStatus;
}

// Which blocks of the window are still to come.
uint8_t StreamSource::missing() const {
    const uint64_t stop = std::min(end_, size_);
    uint8_t out = 0;
    for (size_t k = 0; k < kStreamWindow; ++k) {
        const uint64_t at = (first_ + k) * uint64_t{kStreamBlock};
        const bool wanted = at < stop && at + kStreamBlock > position_;
        if (wanted && (have_ >> k & 1) == 0) out = static_cast<uint8_t>(out | 1U << k);
    }
    return out;
}

Result<size_t> StreamSource::read(MutableBytes out) {
    if (!is_open_) return Status{Code::kInternal, Origin::kSource};
    if (size_ != 0 && position_ >= std::min(end_, size_)) {
        return Status{Code::kEndOfData, Origin::kSource};
    }
    const auto block = static_cast<uint32_t>(position_ / kStreamBlock - first_);
    if (size_ == 0 || block >= kStreamWindow || (have_ >> block & 1) == 0) {
        OTA_TRY(step());
        return size_t{0};
    }
    const uint64_t in_block = position_ % kStreamBlock;
    const uint64_t left =
        std::min<uint64_t>(kStreamBlock - in_block, std::min(end_, size_) - position_);
    const auto n = static_cast<size_t>(std::min<uint64_t>(left, out.size()));
    const size_t from = block * size_t{kStreamBlock} + static_cast<size_t>(in_block);
    std::copy_n(window_.begin() + static_cast<ptrdiff_t>(from), n, out.begin());
    position_ += n;
    turn_window();
    return n;
}

// When the last block of the window was given the next one begins.
void StreamSource::turn_window() {
    if (position_ < (first_ + kStreamWindow) * uint64_t{kStreamBlock}) return;
    first_ = static_cast<uint32_t>(position_ / kStreamBlock);
    have_ = 0;
    is_asked_ = false;
    wait_ = 0;
}

// Asks for what is missing: at first, after a silence, and in each new connection.
Status StreamSource::step() {
    if (!failure_.ok()) return failure_;
    if (!link_.is_up()) return {};
    const bool is_lost = is_asked_ && connection_ != link_.connection();
    const bool is_late = is_asked_ && clock_.now() - asked_at_ > wait_;
    if (is_asked_ && !is_lost && !is_late) return {};
    return size_ == 0 ? describe() : ask();
}

Status StreamSource::publish(std::string_view verb, Bytes payload) {
    FixedString<kMaxStreamId + 32> topic;
    topic.assign("streams/");
    topic.append(stream_.view());
    topic.append(verb);
    is_asked_ = true;
    connection_ = link_.connection();
    asked_at_ = clock_.now();
    wait_ = backoff_.next();
    // A queue that is full has room later; the timer brings us back.
    (void)link_.publish(topic.view(), payload);
    return {};
}

Status StreamSource::describe() {
    constexpr std::array<uint8_t, 1> kEmptyMap{0xA0};
    return publish("/describe/cbor", kEmptyMap);
}

Status StreamSource::ask() {
    const uint8_t wanted = missing();
    if (wanted == 0) return {};
    std::array<char, 12> text{};
    (void)std::snprintf(text.data(), text.size(), "%lu",
                        static_cast<unsigned long>(++token_number_ % 1000000));
    token_.assign(text.data());
    StreamRequest request;
    request.token = token_.view();
    request.file = file_;
    request.first = first_;
    request.wanted = {&wanted, 1};
    request.version = version_;
    std::array<uint8_t, 80> bytes{};
    OTA_TRY_ASSIGN(const size_t size, encode_stream_request(request, bytes));
    return publish("/get/cbor", Bytes(bytes).first(size));
}

// ---------------------------------------------------------------- what comes

void StreamSource::take(std::string_view topic, Bytes payload) {
    if (!is_open_ || !topic.starts_with(stream_.view())) return;
    topic.remove_prefix(stream_.view().size());
    if (topic == "/data/cbor") return take_block(payload);
    if (topic == "/rejected/cbor") return take_rejection(payload);
    if (topic != "/description/cbor" || size_ != 0) return;
    StreamDescription description;
    if (!parse_stream_description(payload, file_, description).ok()) return;
    if (description.size == 0 || description.size > kLargestFile) {
        failure_ = {Code::kIncompatible, Origin::kSource, Detail::kJobDocument};
        return;
    }
    size_ = description.size;
    version_ = static_cast<uint16_t>(description.version);
    is_asked_ = false;
    backoff_.reset();
}

// Blocks are told by their number: one of an earlier request is as good as another.
void StreamSource::take_block(Bytes payload) {
    StreamData data;
    const bool good = parse_stream_data(payload, data).ok() && data.file == file_;
    const uint64_t slot = data.block - first_;
    const bool wanted =
        good && data.block >= first_ && slot < kStreamWindow && (missing() >> slot & 1) != 0;
    const uint64_t length =
        wanted ? std::min<uint64_t>(kStreamBlock, size_ - data.block * kStreamBlock) : 0;
    if (!wanted || data.payload.size() != length) return;
    std::copy(data.payload.begin(), data.payload.end(),
              window_.begin() + static_cast<ptrdiff_t>(slot * kStreamBlock));
    have_ = static_cast<uint8_t>(have_ | 1U << slot);
    // The peer is at work: its silence is measured from here.
    asked_at_ = clock_.now();
    backoff_.reset();
    wait_ = backoff_.next();
}

void StreamSource::take_rejection(Bytes payload) {
    StreamRejection rejection;
    if (!parse_stream_rejection(payload, rejection).ok()) return;
    if (!rejection.token.empty() && rejection.token != token_.view()) return;  // of an earlier one
    const auto is = [&](std::string_view code) { return rejection.code == code; };
    // It comes back by itself.
    if (is("InternalError") || is("RequestThrottled")) return;
    const bool changed = is("VersionMismatch") || is("ETagMismatch");
    // Whatever was read is of another file: the package is looked at from its start.
    failure_ = changed ? Status{Code::kMalformed, Origin::kSource, Detail::kFileChanged}
                       : Status{Code::kRefused, Origin::kSource, Detail::kStreamRefused};
    if (changed) size_ = 0;
}

}  // namespace ota
