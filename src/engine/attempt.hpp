#pragma once

#include "engine/publisher.hpp"
#include "engine/settings.hpp"
#include "ports/clock.hpp"

namespace ota {

// Counts what the attempt in progress takes, and leaves its record. Engine context.
class Attempt {
  public:
    Attempt(UpdateLog& log, Publisher& publisher, Clock& clock)
        : log_(log),
          publisher_(publisher),
          clock_(clock),
          next_summary_(clock.now() + kSummaryInterval) {}

    // Nothing is known of a package yet.
    void begin();
    // A look that nobody asked for is no attempt.
    void forget() { stage_ = Stage::kNone; }
    // It is about this package.
    void about(SourceKind source, const Digest& build_id, const VersionText& version);
    // Goes on with an attempt from before the restart.
    void take_up(const AttemptRecord& record);

    // From here on flash has changed: the record is worth its wear.
    void touched() { touched_ = true; }
    void resumed_at(uint64_t offset);
    void received(size_t bytes);
    void retried();
    void paused();
    void resumed(Millis pause);

    // The components of its package, none of them reached yet; then what becomes of each.
    void list(const ComponentResults& components) { now_.components = components; }
    void component(ComponentRef which, ComponentOutcome outcome, Detail why = Detail::kNone);
    ComponentOutcome outcome_of(ComponentRef which) const;

    // Over, while the publisher is still in the state it came to. One that left flash alone is
    // recorded once an hour at most: an untrusted peer can't wear the flash. Saying so again
    // changes nothing. False: there was none.
    bool end(Outcome outcome, Status why = {}, const Verdict& verdict = Verdict::yes());

  private:
    static constexpr Millis kSummaryInterval = 3600000;

    UpdateLog& log_;
    Publisher& publisher_;
    Clock& clock_;
    AttemptRecord now_;
    Millis since_ = 0;
    Millis next_summary_;
    uint32_t unrecorded_ = 0;  // attempts since the latest record
    enum class Stage : uint8_t { kNone, kRunning, kEnded };
    Stage stage_ = Stage::kNone;
    bool touched_ = false;
};

// The latest attempt with what became of its image.
AttemptRecord attempt_with_end(const AttemptRecord& attempt, const UpdateRecord& update);

// The attempt that a reset ended, if one did: its bytes lie in the slot and nothing tells of it.
// What it had counted is lost.
std::optional<AttemptRecord> interrupted_attempt(const UpdateLog& log, ResetReason reset);

}  // namespace ota
