// The device as a Modbus server: the update block of registers over the push desk.
#pragma once

#include "ports/access_door.hpp"
#include "ports/modbus_link.hpp"
#include "sources/modbus/register_map.hpp"
#include "sources/push_desk.hpp"
#include "wire/modbus_pdu.hpp"

namespace ota {

// What does not change while it runs. Views into the caller's storage.
struct ModbusIdentity {
    uint8_t unit = 1;
    uint16_t base = modbus::kDefaultBase;
    std::string_view serial;
    std::string_view hardware;
    bool takes_suit = false;
};

// Link context. Each request is answered at once: nothing here waits for flash.
class ModbusServer {
  public:
    ModbusServer(const ModbusIdentity& identity, PushDesk& desk, AccessDoor& door, Mailbox& mailbox,
                 Clock& clock);

    // Answers what has come on the link, so many requests at most. Returns how many there were.
    size_t poll(ModbusLink& link, size_t most);

    // The answer's size; 0: nobody answers.
    size_t answer(Bytes request, const ModbusTarget& target, MutableBytes out);

  private:
    using Exception = ModbusException;
    // What the registers in front of the command block say, at one moment.
    using Page = std::array<uint16_t, modbus::kStatusEnd>;

    bool is_for_us(const ModbusTarget& target) const;
    Exception serve(const ModbusRequest& request, ModbusAnswer& out);
    Exception write_file(const ModbusRequest& request, ModbusAnswer& out);
    Exception identify(const ModbusRequest& request, ModbusAnswer& out);

    static bool is_readable(uint16_t at, uint16_t count);
    Exception read(uint16_t at, uint16_t count, ModbusAnswer& out);
    Page status_page();
    uint16_t capabilities() const;
    uint16_t access_state() const;
    uint16_t component_value(uint16_t at);
    uint16_t command_result() const;

    Exception write(uint16_t at, Bytes values);
    Exception write_window(Bytes values);
    Exception take_bytes(uint32_t offset, Bytes data);
    // values: from register kRegSequence on.
    Exception write_command(uint16_t sequence, Bytes values);
    Status begin(modbus::Order order, Bytes values);
    Status open(Bytes values);
    static bool needs_open_door(modbus::Order order);
    Exception prove(Bytes proof);
    void follow_session();
    Exception refuse(modbus::WindowResult why, Exception exception);

    ModbusIdentity identity_;
    PushDesk& desk_;
    AccessDoor& door_;
    Mailbox& mailbox_;
    Clock& clock_;

    uint16_t tag_ = 0;
    uint32_t tag_of_ = 0;  // bound_count() of the desk when it was given
    uint16_t sequence_done_ = 0;
    bool has_sequence_ = false;
    bool follows_desk_ = false;  // the latest order is under way there, or was
    uint32_t ticket_ = 0;
    Status own_result_;
    modbus::WindowResult last_result_ = modbus::WindowResult::kOk;
    uint16_t duplicates_ = 0;
    uint16_t errors_ = 0;
    AccessDoor::Challenge challenge_{};
    bool has_challenge_ = false;
};

}  // namespace ota
