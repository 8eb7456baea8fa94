// The boards of the battery modules behind the controller.
#pragma once

#include "ports/image.hpp"

namespace ota {

// Boards are numbered from 1. Engine context. What takes its time on a bus answers kTryAgain and is
// asked the same again; every other answer ends it, and abort() ends it without one. An
// implementation has a timer for each of its waits, so that a dead board gives kTimeout in the end.
class ModuleBoards {
  public:
    // Is such a board part of this rack? Answers at once.
    virtual bool has(uint8_t number) const = 0;

    // The semantic version of the firmware that the board runs.
    virtual Status version(uint8_t number, VersionText& out) = 0;

    // Does the board hold, complete and ready to run, exactly size bytes with this digest?
    virtual Result<bool> match(uint8_t number, const Digest& digest, uint64_t size) = 0;

    // Makes the board hold and run the first size bytes of image. next: the board that gets the
    // same afterwards and may be prepared meanwhile, as long as it goes on working; 0: none. Power
    // lost on either side leaves a board that can be installed again. kBoardLost and kBoardFailed:
    // the board was changed; any other failure leaves it as it was.
    virtual Status install(uint8_t number, uint8_t next, ImageReader& image, const Digest& digest,
                           uint64_t size) = 0;

    // Lets go of the board that is being worked on.
    virtual void abort() = 0;

  protected:
    ~ModuleBoards() = default;
};

}  // namespace ota
