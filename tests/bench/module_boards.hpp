#pragma once

namespace bench {

// Twelve module boards, one after the other, on a simulated bus with the boards' own times. False:
// it took longer than its bar, or something that protects the battery waited.
bool module_boards();

}  // namespace bench
