// GoogleTest on the host; on the device's instruction set a small harness with the same macros, for
// the tests run there without a C++ runtime library.
#pragma once

#ifdef OTA_SMALL_TEST_HARNESS
#include "support/small_harness.hpp"
#else
#include <gtest/gtest.h>
#endif
