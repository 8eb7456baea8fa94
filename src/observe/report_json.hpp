#pragma once

#include "ports/update_record.hpp"

namespace ota {

// A JSON object (RFC 8259) about an attempt, for the publisher of its package; ends in a newline.
void format_report_json(const AttemptRecord& attempt, RevertReason revert, ReportText& out);

}  // namespace ota
