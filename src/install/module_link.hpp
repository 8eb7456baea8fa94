// The module boards on their bus: orders of the engine, one board after the other, and the next one
// erased meanwhile.
#pragma once

#include "install/module_session.hpp"

namespace ota {

// Link context.
class ModuleLink {
  public:
    struct Config {
        ModuleSession::Config session;
        uint8_t first_address = 0x21;  // of board 1; the others follow
    };
    // A bus for each of two conversations at once.
    ModuleLink(const std::array<CanBus*, 2>& buses, Clock& clock, ModuleExchange& exchange,
               const Config& config);

    void poll();
    // Is a request under way, so that frames may come at any time?
    bool is_busy() const { return !current().is_idle() || !other().is_idle(); }
    // When poll() may have something to do, frames of boards apart.
    Micros due() const { return std::min(current().due(), other().due()); }

  private:
    void begin(const BoardOrder& order);
    void end(Status how);
    void look_ahead();
    uint8_t address_of(uint8_t number) const {
        return static_cast<uint8_t>(first_address_ + number - 1);
    }
    ModuleSession& current() { return sessions_[current_]; }
    const ModuleSession& current() const { return sessions_[current_]; }
    ModuleSession& other() { return sessions_[current_ ^ 1U]; }
    const ModuleSession& other() const { return sessions_[current_ ^ 1U]; }

    ModuleExchange& exchange_;
    const uint8_t first_address_;
    std::array<ModuleSession, 2> sessions_;
    size_t current_ = 0;
    bool has_begun_ = false;  // the order in the exchange
    bool looked_ahead_ = false;
    uint32_t prepared_before_ = 0;  // count of the exchange
    BoardOrder order_;
};

}  // namespace ota
