// Calls into the C library that fail on demand, in the thread that asked for it alone.
#pragma once

#include <cstddef>

namespace faults {

enum class Group { kAllocation, kSocket, kFile };

// The n-th call of the group from now on fails, once; 0 = none. Other groups do not fail.
void fail(Group group, size_t n);
// Stops failing; how many calls of the group there were since fail().
size_t stop();

// As FatFs: rename() on to a file that is there fails with EEXIST.
void rename_never_replaces(bool on);

}  // namespace faults
