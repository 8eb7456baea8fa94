#pragma once

namespace bench {

// A simulated update by a stream of AWS IoT against what its window allows at several round trips.
// False: the bar is missed.
bool aws_stream();

}  // namespace bench
