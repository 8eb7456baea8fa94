// What every Mailbox has to do.
#pragma once

#include "ports/mailbox.hpp"
#include "support/test.hpp"

namespace ota::contract {

inline void check_mailbox(Mailbox& mailbox) {
    Command command;
    EXPECT_FALSE(*mailbox.take(command, 0));
    for (int i = 0; i < 8; ++i) {
        command.kind = CommandKind::kSetThresholds;
        command.thresholds.min_soc_percent = i;
        ASSERT_TRUE(mailbox.post(command).ok()) << i;
    }
    EXPECT_TRUE(mailbox.post(command).is(Code::kNoSpace));
    for (int i = 0; i < 8; ++i) {
        ASSERT_TRUE(*mailbox.take(command, 0));
        EXPECT_EQ(command.thresholds.min_soc_percent, i);
    }
    EXPECT_FALSE(*mailbox.take(command, 0));
}

}  // namespace ota::contract
