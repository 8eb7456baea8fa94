#pragma once

#include <optional>

#include "package/suit_manifest.hpp"

namespace ota {

// Runs the commands of a manifest one at a time (draft-ietf-suit-manifest, section 6). What a
// command means for the device is the hosts' affair; what comes next is decided here.
class SuitProcessor {
  public:
    SuitProcessor(ComponentHost& components, ConditionHost& conditions)
        : components_(components), conditions_(conditions) {}

    // Starts a section, with the shared sequence before it; no parameter survives from another
    // one. manifest stays the caller's.
    void begin(const SuitManifest& manifest, suit::Member section);

    // One command, or as much of it as can be done at once. ok: there may be more; kEndOfData: the
    // section is over and well; kTryAgain: a host is at work, ask again; any other status: the
    // section has failed, for good.
    Status step();

    // The size that the parameters give a component's image now; 0 = none.
    uint64_t image_size(size_t component) const;

  private:
    static constexpr size_t kMaxFrames = 6;  // the lint pass allows a depth of four
    static constexpr uint32_t kMaxCommands = 1024;

    // Components that a command is for: one, or a list in its order, or all.
    struct Selection {
        Bytes list;  // an encoded array; empty: first, and count after it
        uint8_t first = 0;
        uint8_t count = 1;
    };
    enum class Kind : uint8_t { kTop, kAlternative, kRun };
    struct Frame {
        Kind kind = Kind::kTop;
        bool soft = false;  // a false condition ends the sequence well
        bool busy = false;  // command is not done for all of selection yet
        CborReader reader;
        size_t commands_left = 0;
        SuitCommand command;
        Selection selection;
        uint8_t at = 0;           // index into selection
        uint8_t alternative = 0;  // of a try-each that is next
        Status why;               // the alternative before did not do
    };
    // Where in the manifest's buffer the values stand; 0 = not set.
    using Parameters = std::array<uint16_t, suit::kLastParameter + 1>;

    Status enter(Kind kind, Bytes sequence, uint8_t component);
    Status leave();
    Status begin_section();
    Status next_command_of(Frame& frame);
    Status select(Frame& frame);
    Result<size_t> component_at(const Selection& selection, uint8_t at) const;
    Status execute(Frame& frame, size_t component);
    Status set_parameters(Frame& frame, size_t component, bool override_old);
    Status try_each(Frame& frame, size_t component);
    Status condition(int64_t code, size_t component);
    Result<bool> ask(int64_t code, size_t component);
    Result<bool> image_matches(int64_t code, size_t component);
    Status directive(int64_t code, size_t component);
    Status condition_failed(Status why);

    Bytes parameter(size_t component, suit::Parameter key) const;
    Result<uint64_t> number_of(size_t component, suit::Parameter key) const;
    Result<Bytes> bytes_of(size_t component, suit::Parameter key) const;
    Status digest_and_size(size_t component, FetchOrder& out) const;
    Status order_of(size_t component, FetchOrder& out) const;

    ComponentHost& components_;
    ConditionHost& conditions_;
    const SuitManifest* manifest_ = nullptr;
    suit::Member section_ = suit::kPayloadFetch;
    enum class Stage : uint8_t { kFresh, kShared, kSection };
    Stage stage_ = Stage::kFresh;
    uint32_t executed_ = 0;
    FixedVector<Frame, kMaxFrames> frames_;
    std::array<Parameters, kMaxComponents> parameters_{};
    uint32_t vendor_checked_ = 0;  // bit for each component
    uint32_t class_checked_ = 0;
};

}  // namespace ota
