#pragma once

#include "base/status.hpp"

namespace ota {

// What was found, and what to do about it, in one line without a full stop. Never null.
const char* detail_text(Detail detail);
const char* code_text(Code code);

// The detail's text, or the code's where there is no detail.
const char* status_text(Status status);

}  // namespace ota
