#include "image_build.hpp"

#include <algorithm>
#include <ctime>

#include "base/bytes.hpp"
#include "base/version.hpp"
#include "ports/flash_layout.hpp"
#include "wire/sha256.hpp"

namespace otactl {
namespace {

namespace layout = ota::layout;

// Load addresses of an ESP32-P4: flash-mapped data, congruent to the file offset modulo 64 KiB, and
// internal RAM (esptool targets/esp32p4.py).
constexpr uint32_t kDescriptorAddress = 0x40000000 + layout::kAppDescriptorOffset;
constexpr uint32_t kProgramAddress = 0x4FF00000;
constexpr uint8_t kSpiDio = 2;
constexpr uint8_t kSpeed80MHzSize16MB = 0x4F;
constexpr uint8_t kNoWpPin = 0xEE;
constexpr uint8_t kMmuPage64K = 16;

void put32(Buffer& out, uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<uint8_t>(value >> shift));
}

void put_text(Buffer& out, const std::string& text, size_t field) {
    out.insert(out.end(), text.begin(), text.end());
    out.insert(out.end(), field - text.size(), 0);
}

Buffer header(const ImageDescription& d, uint8_t segments) {
    Buffer out = {layout::kImageMagic, segments, kSpiDio, kSpeed80MHzSize16MB};
    put32(out, kDescriptorAddress);
    out.insert(out.end(), {kNoWpPin, 0, 0, 0});
    out.push_back(static_cast<uint8_t>(d.chip_id));
    out.push_back(static_cast<uint8_t>(d.chip_id >> 8));
    out.push_back(0);  // legacy minimum revision
    for (const uint16_t revision : {d.min_chip_revision, d.max_chip_revision}) {
        out.push_back(static_cast<uint8_t>(revision));
        out.push_back(static_cast<uint8_t>(revision >> 8));
    }
    put32(out, 0);
    out.push_back(1);  // SHA-256 appended
    return out;
}

std::string time_text(int64_t time, const char* format) {
    if (time == 0) return "";
    const auto seconds = static_cast<time_t>(time);
    std::tm parts{};
    std::array<char, 16> text{};
    gmtime_r(&seconds, &parts);
    (void)std::strftime(text.data(), text.size(), format, &parts);
    return text.data();
}

Buffer descriptor(const Buffer& program, const ImageDescription& d) {
    Buffer out;
    put32(out, layout::kAppDescriptorMagic);
    put32(out, d.secure_version);
    put32(out, 0);
    put32(out, 0);
    put_text(out, d.version, 32);
    put_text(out, d.project, 32);
    // As the compiler's __TIME__ and __DATE__, but in UTC.
    put_text(out, time_text(d.build_time, "%H:%M:%S"), 16);
    put_text(out, time_text(d.build_time, "%b %e %Y"), 16);
    put_text(out, "bess-ota twin", 32);
    ota::Digest digest;
    require(ota::sha256(program, digest), "SHA-256");
    out.insert(out.end(), digest.begin(), digest.end());
    put32(out, 0xFFFF0000);  // eFuse block revisions: minimum 0, no maximum
    out.push_back(kMmuPage64K);
    out.resize(layout::kAppDescriptorSize, 0);
    return out;
}

void put_segment(Buffer& out, uint32_t address, const Buffer& data, uint8_t& checksum) {
    put32(out, address);
    put32(out, static_cast<uint32_t>(data.size()));
    out.insert(out.end(), data.begin(), data.end());
    for (const uint8_t byte : data) checksum = static_cast<uint8_t>(checksum ^ byte);
}

bool is_field(const std::string& text) {
    const auto printable = [](char c) { return c > ' ' && c <= '~'; };
    return !text.empty() && text.size() <= 31 && std::all_of(text.begin(), text.end(), printable);
}

void check(const Buffer& program, const ImageDescription& d) {
    ota::Version version;
    if (!ota::parse_version(d.version, version).ok() || !is_field(d.version)) {
        throw Failure(Exit::kUsage, "--version: a semantic version of at most 31 characters");
    }
    if (d.build_time > time(nullptr) + 86400) {
        throw Failure(
            Exit::kUsage,
            "--build-time: in the future; a device would think that its clock is not set");
    }
    if (!is_field(d.project))
        throw Failure(Exit::kUsage, "--project: 1 to 31 printable characters");
    constexpr std::array<uint8_t, 4> kElf = {0x7F, 'E', 'L', 'F'};
    if (program.size() < kElf.size() || !std::equal(kElf.begin(), kElf.end(), program.begin())) {
        throw Failure(Exit::kMalformed, "the program is not an ELF file");
    }
}

}  // namespace

Buffer build_image(const Buffer& program, const ImageDescription& description) {
    check(program, description);
    Buffer padded = program;
    padded.resize(ota::round_up<size_t>(padded.size(), 4), 0);

    Buffer image = header(description, 2);
    uint8_t checksum = layout::kChecksumSeed;
    put_segment(image, kDescriptorAddress, descriptor(program, description), checksum);
    put_segment(image, kProgramAddress, padded, checksum);
    image.resize(ota::round_up<size_t>(image.size() + 1, layout::kChecksumAlign), 0);
    image.back() = checksum;
    ota::Digest digest;
    require(ota::sha256(image, digest), "SHA-256");
    image.insert(image.end(), digest.begin(), digest.end());
    return image;
}

}  // namespace otactl
