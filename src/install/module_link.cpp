#include "install/module_link.hpp"

namespace ota {

ModuleLink::ModuleLink(const std::array<CanBus*, 2>& buses, Clock& clock, ModuleExchange& exchange,
                       const Config& config)
    : exchange_(exchange),
      first_address_(config.first_address),
      sessions_{ModuleSession(*buses[0], clock, exchange, exchange.keys[0], config.session),
                ModuleSession(*buses[1], clock, exchange, exchange.keys[1], config.session)} {
    // What an earlier link listened to is nobody's.
    for (CanBus* const bus : buses) bus->close();
}

void ModuleLink::poll() {
    const BoardOrder* const order = exchange_.order();
    if (order != nullptr && !has_begun_) begin(*order);
    if (has_begun_ && exchange_.is_given_up()) {
        current().stop();
        end({Code::kUnavailable, Origin::kModules, Detail::kAbortedByUser});
    }
    // What was begun ahead is not wanted any more either.
    if (prepared_before_ != exchange_.let_go_count()) other().stop();
    if (has_begun_) {
        const Status status = current().poll();
        if (!status.is(Code::kTryAgain)) end(status);
    }
    if (has_begun_) look_ahead();
    if (!other().is_idle()) (void)other().poll();
}

void ModuleLink::begin(const BoardOrder& order) {
    const bool is_prepared = !other().is_idle() && other().number() == order.number;
    // One conversation with a board at a time. Whether it holds the image is known ahead.
    if (is_prepared && order.kind != BoardOrder::Kind::kInstall) {
        const bool knows = order.kind == BoardOrder::Kind::kMatch && other().has_looked() &&
                           other().is_about(order.digest, order.size);
        if (!knows) return;
        BoardAnswer answer;
        answer.holds = other().holds();
        return exchange_.answer(answer);
    }
    order_ = order;
    has_begun_ = true;
    looked_ahead_ = false;
    for (ImageBlock& block : exchange_.blocks) block.forget();
    // Who has begun with a board goes on with it; any other preparation was for nothing.
    if (is_prepared) {
        current_ ^= 1U;
    } else if (order.kind == BoardOrder::Kind::kInstall) {
        other().stop();
    }
    current().start(order_, address_of(order.number));
}

void ModuleLink::end(Status how) {
    BoardAnswer answer;
    answer.status = how;
    answer.holds = current().holds();
    answer.version = current().version();
    has_begun_ = false;
    exchange_.answer(answer);
}

// Once the first block is on its way: the bus has room for a few frames more, and erasing takes a
// board seconds in which it works as before.
void ModuleLink::look_ahead() {
    if (looked_ahead_ || order_.next == 0 || !current().is_transferring()) return;
    looked_ahead_ = true;
    prepared_before_ = exchange_.let_go_count();
    other().prepare(order_, order_.next, address_of(order_.next));
}

}  // namespace ota
