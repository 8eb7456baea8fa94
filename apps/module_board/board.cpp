#include "board.hpp"

#include <psa/crypto.h>

#include <algorithm>
#include <cstdlib>

#include "ports/flash_layout.hpp"

namespace board {
namespace {

using ota::Bytes;
using ota::layout::kPageSize;
using ota::layout::kSectorSize;

constexpr uint8_t kController = 0x10;
constexpr uint8_t kEverybody = 0x33;
constexpr uint8_t kPriority = 7;
constexpr uint32_t kBlock = 2048;
constexpr uint32_t kDurableStep = 16384;
constexpr uint64_t kP2 = 40000;  // µs; 50 ms are allowed
constexpr uint64_t kPendingEach = 2000000;
constexpr uint64_t kS3 = 5000000;
constexpr uint64_t kResetDelay = 50000;
// esp_app_desc_t, version: behind both headers and 16 bytes of its own (esp_app_desc.h).
constexpr uint32_t kVersionAt = 24 + 8 + 16;
constexpr size_t kVersionSize = 32;

constexpr uint8_t kNotInSession = 0x7F;
constexpr uint8_t kLocked = 0x33;
constexpr uint8_t kLength = 0x13;
constexpr uint8_t kRange = 0x31;
constexpr uint8_t kConditions = 0x22;
constexpr uint8_t kSequence = 0x24;
constexpr uint8_t kProgramming = 0x72;
constexpr uint8_t kCounter = 0x73;
constexpr uint8_t kNotAccepted = 0x70;
constexpr uint8_t kUnknown = 0x11;
constexpr uint8_t kBusy = 0x21;
constexpr uint8_t kWrongKey = 0x35;
constexpr uint8_t kPending = 0x78;

std::vector<uint8_t> refuse(uint8_t service, uint8_t code) {
    return {0x7F, service, code};
}

void put32(std::vector<uint8_t>& out, uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8)
        out.push_back(static_cast<uint8_t>(value >> shift));
}

// "1.10.0" is newer than "1.9.0".
bool is_older(const std::string& a, const std::string& b) {
    const auto numbers = [](const std::string& text) {
        std::array<unsigned long, 3> out{};
        const char* at = text.c_str();
        for (unsigned long& number : out) {
            char* end = nullptr;
            number = std::strtoul(at, &end, 10);
            at = *end == '.' ? end + 1 : end;
        }
        return out;
    };
    return numbers(a) < numbers(b);
}

}  // namespace

ModuleBoard::ModuleBoard(ota::Flash& flash, ota::Clock& clock, ota::CanBus& bus,
                         const Identity& identity, const Timing& timing)
    : flash_(flash), clock_(clock), bus_(bus), identity_(identity), timing_(timing), log_(flash) {
    starts_at_ = clock.micros();
    start();
}

// ---------------------------------------------------------------- power

void ModuleBoard::reset() {
    const uint64_t now = clock_.micros();
    starts_at_ = now + timing_.boot_us;
    offline_micros_ += timing_.boot_us;
    start();
}

// What its bootloader does, and then the firmware.
void ModuleBoard::start() {
    peer_ = kController;
    open_link();
    session_ = 1;
    is_open_ = has_seed_ = is_transferring_ = is_checked_ = false;
    pending_name_ = Image();
    answer_.clear();
    sent_.clear();
    resets_at_ = session_ends_at_ = 0;
    state_ = log_.load();
    const bool tries = state_.is_armed;
    if (tries || state_.is_on_trial) {
        state_.running = state_.other();
        state_.is_on_trial = tries;
        state_.is_armed = false;
        (void)log_.save(state_);
        if (tries && faults.never_returns) starts_at_ = UINT64_MAX;
        if (tries && faults.reverts) start();  // it crashes, and the bootloader goes back
    }
    next_ = state_.durable;
}

void ModuleBoard::put_image(const std::vector<uint8_t>& image) {
    const uint32_t base = slot_address(0);
    for (uint32_t at = 0; at < image.size(); at += kSectorSize) {
        (void)flash_.erase(base + at, kSectorSize);
    }
    next_ = 0;
    state_ = State();
    state_.running = 1;  // so that the other slot is the first
    (void)program(image);
    state_.running = 0;
    size_t size = 0;
    Image& held = state_.held[0];
    (void)psa_hash_compute(PSA_ALG_SHA_256, image.data(), image.size(), held.digest.data(),
                           held.digest.size(), &size);
    held.size = static_cast<uint32_t>(image.size());
    next_ = 0;
    state_.durable = 0;
    (void)log_.save(state_);
}

bool ModuleBoard::is_silent() const {
    return faults.is_dead || clock_.micros() < starts_at_;
}

// ---------------------------------------------------------------- frames

void ModuleBoard::poll() {
    if (resets_at_ != 0 && clock_.micros() >= resets_at_) return reset();
    if (is_silent()) {
        ota::CanFrame unheard;
        for (int i = 0; i < 64 && *bus_.receive(unheard); ++i) {
        }
        return;
    }
    if (session_ != 1 && clock_.micros() >= session_ends_at_ && answer_.empty()) {
        (void)change_session(1);
    }
    move_frames();
    move_answer();
}

void ModuleBoard::move_frames() {
    const auto follow_frame = [this] {
        if (!is_frame_out_ || bus_.sending() == ota::CanBus::Sending::kUnderWay) return;
        is_frame_out_ = false;
        follow(bus_.sending() == ota::CanBus::Sending::kSent ? link_->sent(clock_.micros())
                                                             : link_->failed());
    };
    follow_frame();
    ota::CanFrame frame;
    for (int i = 0; i < 64 && *bus_.receive(frame); ++i) {
        turn_to_sender(frame);
        follow(link_->take(frame, clock_.micros()));
    }
    follow(link_->poll(clock_.micros()));
    follow_frame();
    if (is_frame_out_ || !link_->next(frame, clock_.micros())) return;
    is_frame_out_ = bus_.send(frame).ok();
    if (!is_frame_out_) return follow(link_->failed());
    follow_frame();
}

// The controller, or a technician's tester: one at a time.
void ModuleBoard::turn_to_sender(const ota::CanFrame& frame) {
    const uint32_t to_us = 0x1CDA0000U | uint32_t{own_address()} << 8;
    const bool is_ours = frame.is_29_bit && (frame.id & ~0xFFU) == to_us;
    const auto sender = static_cast<uint8_t>(frame.id);
    const bool is_idle = answer_.empty() && !link_->is_sending() && !link_->is_receiving();
    if (!is_ours || sender == peer_ || !is_idle) return;
    peer_ = sender;
    open_link();
}

void ModuleBoard::open_link() {
    link_.emplace(ota::IsoTpConfig{
        ota::IsoTpAddress::normal_fixed(own_address(), peer_, kPriority, kEverybody), received_});
    is_frame_out_ = false;
}

void ModuleBoard::follow(ota::IsoTpLink::Event event) {
    if (event == ota::IsoTpLink::Event::kReceived) handle(link_->message(), false);
    if (event == ota::IsoTpLink::Event::kFunctional) handle(link_->functional_message(), true);
}

// Sends what is due: the answer, or that it takes a while.
void ModuleBoard::move_answer() {
    if (answer_.empty() || link_->is_sending()) return;
    const uint64_t now = clock_.micros();
    if (now >= answer_at_) {
        sent_ = std::move(answer_);
        answer_.clear();
        session_ends_at_ = now + kS3;
    } else if (now >= pending_at_) {
        sent_ = refuse(service_, kPending);
        pending_at_ = now + kPendingEach;
    } else {
        return;
    }
    (void)link_->send(sent_, now);
}

void ModuleBoard::handle(Bytes request, bool is_functional) {
    if (request.empty() || !answer_.empty()) return;
    session_ends_at_ = clock_.micros() + kS3;
    if (request[0] == 0x3E) {
        if (request.size() == 2 && request[1] == 0) answer_ = {0x7E, 0};
    } else if (!is_functional) {
        service_ = request[0];
        extra_ = 0;
        if (faults.busy_answers != 0) {
            --faults.busy_answers;
            answer_ = refuse(service_, kBusy);
        } else {
            answer_ = serve(request);
        }
    }
    const uint64_t now = clock_.micros();
    answer_at_ = now + extra_;
    pending_at_ = now + kP2;
}

// ---------------------------------------------------------------- services

ModuleBoard::Message ModuleBoard::serve(Bytes request) {
    const uint8_t service = request[0];
    switch (service) {
        case 0x10:
            if (request.size() != 2 || request[1] == 0 || request[1] > 3) {
                return refuse(service, kLength);
            }
            return change_session(request[1]);
        case 0x22:
            return read_data(request);
        case 0x27:
            return session_ == 2 ? access(request) : refuse(service, kNotInSession);
        default:
            break;
    }
    constexpr std::array<uint8_t, 6> kGuarded{0x11, 0x2E, 0x31, 0x34, 0x36, 0x37};
    if (std::find(kGuarded.begin(), kGuarded.end(), service) == kGuarded.end()) {
        return refuse(service, kUnknown);
    }
    if (session_ != 2) return refuse(service, kNotInSession);
    if (!is_open_ && !identity_.key.empty()) return refuse(service, kLocked);
    switch (service) {
        case 0x11:
            return restart();
        case 0x2E:
            return name_package(request);
        case 0x31:
            return routine(request);
        case 0x34:
            return download(request);
        case 0x36:
            return take_block(request);
        default:
            return finish_transfer();
    }
}

ModuleBoard::Message ModuleBoard::change_session(uint8_t session) {
    session_ = session;
    is_open_ = has_seed_ = is_transferring_ = false;
    return {0x50, session, 0x00, 0x32, 0x01, 0xF4};
}

ModuleBoard::Message ModuleBoard::read_data(Bytes request) const {
    if (request.size() != 3) return refuse(0x22, kLength);
    Message out = {0x62, request[1], request[2]};
    const auto text = [&](const std::string& value) {
        out.insert(out.end(), value.begin(), value.end());
        return out;
    };
    const auto image = [&](const Image& value) {
        out.insert(out.end(), value.digest.begin(), value.digest.end());
        put32(out, value.size);
    };
    switch (ota::load_be16(&request[1])) {
        case 0xF195:
            return text(version());
        case 0xF191:
            return text(identity_.hardware);
        case 0xF18C:
            return text(identity_.serial);
        case 0xF1A1:
            image(state_.named);
            put32(out, next_);
            put32(out, state_.durable);
            return out;
        case 0xF1A3: {
            out.push_back(state_.is_on_trial ? 1 : 0);
            const Image& held = state_.held[state_.running];
            put32(out, held.size);
            out.insert(out.end(), held.digest.begin(), held.digest.end());
            return out;
        }
        default:
            return refuse(0x22, kRange);
    }
}

ModuleBoard::Message ModuleBoard::access(Bytes request) {
    if (request.size() == 2 && request[1] == 0x11) {
        Message out = {0x67, 0x11};
        const bool open = is_open_ || identity_.key.empty();
        if (!open) (void)psa_generate_random(seed_.data(), seed_.size());
        has_seed_ = !open;
        for (const uint8_t byte : seed_) out.push_back(open ? 0 : byte);
        return out;
    }
    if (request.size() != 2 + 16 || request[1] != 0x12) {
        return refuse(0x27, request.size() == 2 && request[1] == 0x12 ? kWrongKey : kLength);
    }
    if (!has_seed_) return refuse(0x27, kSequence);
    has_seed_ = false;
    const auto expected = expected_key();
    is_open_ = std::equal(expected.begin(), expected.end(), &request[2]);
    return is_open_ ? Message{0x67, 0x12} : refuse(0x27, kWrongKey);
}

std::array<uint8_t, 16> ModuleBoard::expected_key() const {
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_type(&attributes, PSA_KEY_TYPE_HMAC);
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_SIGN_MESSAGE);
    psa_set_key_algorithm(&attributes, PSA_ALG_HMAC(PSA_ALG_SHA_256));
    psa_key_id_t key = 0;
    (void)psa_import_key(&attributes, identity_.key.data(), identity_.key.size(), &key);
    Message message(seed_.begin(), seed_.end());
    message.push_back(0x11);
    message.insert(message.end(), identity_.serial.begin(), identity_.serial.end());
    std::array<uint8_t, 32> mac{};
    size_t size = 0;
    (void)psa_mac_compute(key, PSA_ALG_HMAC(PSA_ALG_SHA_256), message.data(), message.size(),
                          mac.data(), mac.size(), &size);
    (void)psa_destroy_key(key);
    std::array<uint8_t, 16> out{};
    std::copy_n(mac.begin(), out.size(), out.begin());
    return out;
}

// Says which image is about to come. What was taken of another is given up with the erasing.
ModuleBoard::Message ModuleBoard::name_package(Bytes request) {
    if (request.size() != 3 + 32 + 4 || ota::load_be16(&request[1]) != 0xF1A1) {
        return refuse(0x2E, kRange);
    }
    Image named;
    std::copy_n(&request[3], 32, named.digest.begin());
    named.size = ota::load_be32(&request[35]);
    if (named.size == 0 || named.size > kSlotSize) return refuse(0x2E, kNotAccepted);
    pending_name_ = named;
    return {0x6E, 0xF1, 0xA1};
}

ModuleBoard::Message ModuleBoard::routine(Bytes request) {
    if (request.size() < 4 || request[1] != 1) return refuse(0x31, kLength);
    switch (ota::load_be16(&request[2])) {
        case 0xFF00:
            return erase();
        case 0x0202:
            return check();
        case 0xF003:
            return confirm();
        default:
            return refuse(0x31, kRange);
    }
}

// The board works on: it runs from the other slot.
ModuleBoard::Message ModuleBoard::erase() {
    if (pending_name_.size == 0 || state_.is_on_trial) return refuse(0x31, kConditions);
    is_transferring_ = is_checked_ = false;
    state_.named = Image();
    state_.held[state_.other()] = Image();
    state_.durable = next_ = 0;
    if (!log_.save(state_)) return refuse(0x31, kProgramming);
    const uint32_t base = slot_address(state_.other());
    for (uint32_t at = 0; at < pending_name_.size; at += kSectorSize) {
        if (!flash_.erase(base + at, kSectorSize).ok()) return refuse(0x31, kProgramming);
        answer_later(timing_.erase_sector_us);
    }
    ++erases_;
    if (!faults.forgets_name) state_.named = pending_name_;
    if (!log_.save(state_)) return refuse(0x31, kProgramming);
    return {0x71, 1, 0xFF, 0x00};
}

ModuleBoard::Message ModuleBoard::download(Bytes request) {
    if (request.size() != 11 || request[1] != 0 || request[2] != 0x44) {
        return refuse(0x34, kRange);
    }
    const uint32_t address = ota::load_be32(&request[3]);
    const uint32_t size = ota::load_be32(&request[7]);
    if (!is_image_named() || address != next_ || size != state_.named.size - next_) {
        return refuse(0x34, kRange);
    }
    is_transferring_ = true;
    counter_ = 0;
    return {0x74, 0x20, 0x08, 0x02};
}

ModuleBoard::Message ModuleBoard::take_block(Bytes request) {
    if (!is_transferring_) return refuse(0x36, kSequence);
    if (request.size() < 3 || request.size() > kBlock + 2) return refuse(0x36, kLength);
    const uint8_t counter = request[1];
    if (counter == counter_ && next_ != 0) return {0x76, counter};  // its answer was lost
    if (counter != static_cast<uint8_t>(counter_ + 1)) return refuse(0x36, kCounter);
    const Bytes data = request.subspan(2);
    if (data.size() > state_.named.size - next_) {
        is_transferring_ = false;
        return refuse(0x36, 0x71);
    }
    if (next_ == 0 && faults.refuses_downgrade && data.size() >= kVersionAt + kVersionSize) {
        const std::string version(ota::field_text(data.subspan(kVersionAt, kVersionSize)));
        if (is_older(version, this->version())) {
            is_transferring_ = false;
            return refuse(0x36, kConditions);
        }
    }
    const uint32_t before = next_;
    if (!program(data)) return refuse(0x36, kProgramming);
    counter_ = counter;
    if (next_ / kDurableStep != before / kDurableStep || next_ == state_.named.size) {
        state_.durable = next_;
        if (!log_.save(state_)) return refuse(0x36, kProgramming);
    }
    const auto reached = [&](uint32_t& at) {
        const bool now = at != 0 && at >= before && at < next_;
        if (now) at = 0;
        return now;
    };
    if (reached(faults.reset_at)) resets_at_ = clock_.micros();
    if (reached(faults.wrong_counter_at)) return refuse(0x36, kCounter);
    return {0x76, counter};
}

// At next_ of the slot that does not run.
bool ModuleBoard::program(Bytes bytes) {
    const uint32_t base = slot_address(state_.other());
    while (!bytes.empty()) {
        const size_t n = std::min<size_t>(bytes.size(), kPageSize - next_ % kPageSize);
        if (!flash_.program(base + next_, bytes.first(n)).ok()) return false;
        answer_later(timing_.program_page_us);
        next_ += static_cast<uint32_t>(n);
        bytes = bytes.subspan(n);
    }
    return true;
}

ModuleBoard::Message ModuleBoard::finish_transfer() {
    if (!is_transferring_ || next_ != state_.named.size) return refuse(0x37, kSequence);
    is_transferring_ = false;
    return {0x77};
}

// By what flash holds.
ModuleBoard::Message ModuleBoard::check() {
    if (!is_image_named() || next_ != state_.named.size) return refuse(0x31, kSequence);
    std::vector<uint8_t> image(state_.named.size);
    if (!flash_.read(slot_address(state_.other()), image).ok()) return refuse(0x31, kProgramming);
    ota::Digest digest{};
    size_t size = 0;
    (void)psa_hash_compute(PSA_ALG_SHA_256, image.data(), image.size(), digest.data(),
                           digest.size(), &size);
    answer_later(uint64_t{timing_.check_us} * image.size() / kPageSize);
    is_checked_ = digest == state_.named.digest;
    if (!is_checked_) {
        state_.named = Image();
        state_.durable = next_ = 0;
        (void)log_.save(state_);
    }
    return {0x71, 1, 0x02, 0x02, static_cast<uint8_t>(is_checked_ ? 0 : 1)};
}

ModuleBoard::Message ModuleBoard::restart() {
    if (is_checked_) {
        state_.held[state_.other()] = state_.named;
        state_.named = Image();
        state_.durable = 0;
        state_.is_armed = true;
        if (!log_.save(state_)) return refuse(0x11, kProgramming);
    }
    resets_at_ = clock_.micros() + kResetDelay;
    return {0x51, 1};
}

ModuleBoard::Message ModuleBoard::confirm() {
    if (faults.refuses_confirmation) return refuse(0x31, kConditions);
    state_.is_on_trial = false;
    return log_.save(state_) ? Message{0x71, 1, 0xF0, 0x03} : refuse(0x31, kProgramming);
}

// ---------------------------------------------------------------- what it holds

std::string ModuleBoard::version_of(uint8_t slot) const {
    std::array<uint8_t, kVersionSize> text{};
    (void)flash_.read(slot_address(slot) + kVersionAt, text);
    return std::string(ota::field_text(text));
}

std::vector<uint8_t> ModuleBoard::running_image() const {
    std::vector<uint8_t> out(state_.held[state_.running].size);
    (void)flash_.read(slot_address(state_.running), out);
    return out;
}

}  // namespace board
