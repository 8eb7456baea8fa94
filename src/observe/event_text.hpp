// Names and sentences for what happens.
#pragma once

#include "observe/log.hpp"
#include "ports/events.hpp"

namespace ota {

const char* state_name(State state);
const char* notice_name(Notice notice);
const char* outcome_text(Outcome outcome);
const char* source_text(SourceKind source);
const char* reset_text(const std::optional<ResetReason>& reset);

const char* component_outcome_text(ComponentOutcome outcome);
using ComponentText = FixedString<8>;
// As in a manifest: app, app/run, cfg, stage, bms/07.
ComponentText component_text(ComponentRef component);

// One line about a state or a notice, with reason, reading and limit where there are any.
void format_event(const Event& event, LogLine& line);
// One line: what became of each component. Empty when the package does not name its components.
void format_components(const ComponentResults& components, LogLine& line);
// One line about one of them that failed: why.
void format_component_failure(const ComponentResult& result, LogLine& line);
// One line about an attempt: source, version, outcome, why, and what it took.
void format_attempt(const AttemptRecord& attempt, RevertReason revert, LogLine& line);

}  // namespace ota
