// What a package does to the module boards.
#include "engine/session.hpp"
#include "engine/session_limits.hpp"

namespace ota {

Result<bool> Session::board_matches(ComponentRef board, const Digest& digest, uint64_t size) {
    if (c_.publisher.state() != State::kApplying) {
        const Result<bool> held = c_.parts.modules->match(board.number, digest, size);
        OTA_TRY(board_says(held.status(), Detail::kBoardSilent));
        return held;
    }
    const ComponentOutcome before = attempt_.outcome_of(board);
    // It was passed over in this attempt: how many have to hold their image is judged in the end.
    if (before == ComponentOutcome::kFailed) return true;
    const Result<bool> held = c_.parts.modules->match(board.number, digest, size);
    Status said = board_says(held.status(), Detail::kBoardSilent);
    if (said.is(Code::kTryAgain)) return said;
    if (said.ok() && !*held && before == ComponentOutcome::kWritten) {
        said = {Code::kRefused, Origin::kModules, Detail::kBoardFailed};
    }
    if (!said.ok()) {
        OTA_TRY(pass_over(board, said));
        return true;
    }
    if (*held && before == ComponentOutcome::kNotReached) {
        attempt_.component(board, ComponentOutcome::kHeldAlready);
    }
    return held;
}

// Only an image whose digest was read back goes to a board.
Status Session::copy_to_board(ComponentRef to, const FetchOrder& order) {
    if (!order.encryption.empty()) {
        return {Code::kIncompatible, Origin::kPackage, Detail::kParameterUnknown};
    }
    OTA_TRY_ASSIGN(const bool proven,
                   part_matches(ComponentKind::kStage, order.digest, order.size));
    if (!proven) return {Code::kUntrusted, Origin::kVerify, Detail::kImageDigest};
    attempt_.touched();
    const Status installed = c_.parts.modules->install(
        to.number, board_after(to), c_.parts.stage.image(), order.digest, order.size);
    // Our own flash is no board's fault.
    if (!installed.ok() && installed.origin() != Origin::kModules) return installed;
    const Status said = board_says(installed, Detail::kBoardLost);
    if (said.is(Code::kTryAgain)) return said;
    if (!said.ok()) return pass_over(to, said);
    attempt_.component(to, ComponentOutcome::kWritten);
    return {};
}

// The next that is still to be looked at; 0: none.
uint8_t Session::board_after(ComponentRef board) const {
    bool passed = false;
    for (size_t i = 0; i < suit_.manifest.component_count(); ++i) {
        const ComponentRef other = suit_.manifest.component(i);
        if (other.kind != ComponentKind::kModule) continue;
        if (passed && attempt_.outcome_of(other) == ComponentOutcome::kNotReached) {
            return other.number;
        }
        passed = passed || other == board;
    }
    return 0;
}

// A board that can't be updated keeps no other from it. But an image that one has failed with may
// fail the others as well: after that the rest is left alone, unless the owner decided otherwise.
Status Session::pass_over(ComponentRef board, Status why) {
    const bool changed = why.detail() == Detail::kBoardFailed || why.detail() == Detail::kBoardLost;
    if (changed && c_.settings.boards.stop_on_failure) return why;
    attempt_.component(board, ComponentOutcome::kFailed, why.detail());
    if (suit_.board_failure.ok()) suit_.board_failure = why;
    return {};
}

// After the last board: do enough of them hold their image?
Status Session::check_quorum() const {
    if (suit_.board_failure.ok()) return {};
    uint32_t boards = 0;
    uint32_t good = 0;
    for (size_t i = 0; i < suit_.manifest.component_count(); ++i) {
        const ComponentRef component = suit_.manifest.component(i);
        if (component.kind != ComponentKind::kModule) continue;
        ++boards;
        const ComponentOutcome outcome = attempt_.outcome_of(component);
        if (outcome == ComponentOutcome::kWritten || outcome == ComponentOutcome::kHeldAlready) {
            ++good;
        }
    }
    const uint8_t quorum = c_.settings.boards.quorum;
    const uint32_t needed = quorum == 0 ? boards : std::min<uint32_t>(quorum, boards);
    return good >= needed ? kOkStatus : suit_.board_failure;
}

// Between two questions that do not belong together.
void Session::let_go_of_boards() {
    suit_.board_since = 0;
    if (c_.parts.modules != nullptr) c_.parts.modules->abort();
}

// Boards that fail again and again wear out. The next automatic attempt is then a day away.
Status Session::check_boards_rest() const {
    const bool same = is_suit() && board_failures_.package == suit_.manifest.digest();
    const bool rests = same && board_failures_.count >= kMaxBoardFailures &&
                       now() < board_failures_.at + kBoardRest;
    return rests ? Status{Code::kNoUpdate, Origin::kModules, Detail::kBoardsRest} : kOkStatus;
}

void Session::count_board_failure() {
    const Digest& package = suit_.manifest.digest();
    if (board_failures_.package != package) board_failures_ = {package, 0, 0};
    board_failures_.count = static_cast<uint8_t>(std::min(board_failures_.count + 1, 255));
    board_failures_.at = now();
}

// Whatever a board answers is about the board, not about the package. Behind the port's own timers
// stands one more.
// in_the_end: what it says when the board is given up at that one.
Status Session::board_says(Status status, Detail in_the_end) {
    if (!status.is(Code::kTryAgain)) {
        suit_.board_since = 0;
        return status.ok() ? status : Status{status.code(), Origin::kModules, status.detail()};
    }
    suit_.on_bus = true;
    if (suit_.board_since == 0) suit_.board_since = now() + 1;
    if (now() < suit_.board_since + kLongestBoard) return status;
    let_go_of_boards();
    return {Code::kTimeout, Origin::kModules, in_the_end};
}

}  // namespace ota
