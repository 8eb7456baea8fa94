// Images as the stages hand them to each other.
#pragma once

#include "base/bytes.hpp"
#include "base/fixed.hpp"
#include "base/status.hpp"
#include "ports/clock.hpp"

namespace ota {

using VersionText = FixedString<32>;

// What header and app descriptor of an ESP image say (esp_app_format.h, esp_app_desc.h).
struct ImageIdentity {
    uint16_t chip_id = 0;
    uint16_t min_chip_revision = 0;  // major * 100 + minor
    uint16_t max_chip_revision = 0;  // 0 and 65535 mean no limit
    uint32_t secure_version = 0;
    VersionText version;
    FixedString<32> project;
    UnixTime built_at = 0;  // when it was compiled; 0 = not said
    Digest elf_sha256{};    // of the linked program
    Digest build_id{};      // SHA-256 of the 288 bytes this was read from
};

// One file that is about to go into a slot.
struct Payload {
    uint64_t size = 0;         // bytes of the whole file, signature sector included; 0 = unknown
    Digest source_identity{};  // of the place and state it is read from, for resuming
    ImageIdentity image;
};

// Random access to an image in flash.
class ImageReader {
  public:
    virtual uint64_t size() const = 0;
    // Reads exactly out.size() bytes.
    virtual Status read_at(uint64_t offset, MutableBytes out) = 0;

  protected:
    ~ImageReader() = default;
};

// Receives, in order and without gaps, what a writer has read back from flash.
class ReadBackSink {
  public:
    virtual Status on_read_back(Bytes bytes) = 0;

  protected:
    ~ReadBackSink() = default;
};

// Puts one image into the standby slot. One object per attempt: prepare, write…, finish.
class ImageWriter {
  public:
    // Where the image continues: 0 when fresh; otherwise a multiple of 4 KiB below which flash
    // holds, and the sink was given, this payload's bytes. kTryAgain while it works on it: call
    // again. Resumes only if resume is true.
    virtual Result<uint64_t> prepare(const Payload& payload, bool resume) = 0;

    // Next bytes in order, any length. After a power loss everything but the last touched sector
    // is durable.
    virtual Status write(Bytes bytes) = 0;

    // Programs what is still buffered; then the sink has seen exactly the payload, or, when its
    // size is unknown, everything that was written.
    virtual Status finish() = 0;

    // Forgets the attempt. Flash keeps what it holds; it is not bootable.
    virtual void abort() = 0;

  protected:
    ~ImageWriter() = default;
};

}  // namespace ota
