// What the C API needs from whoever composes it with a platform. Declared here, defined by exactly
// one platform/<name>/compose.cpp, so that nothing in src/ names a platform.
#pragma once

#include "engine/manager.hpp"
#include "ports/can_bus.hpp"
#include "ports/file_store.hpp"
#include "ports/http_client.hpp"
#include "ports/log.hpp"
#include "ports/log_store.hpp"
#include "ports/mqtt_client.hpp"
#include "ports/serial_port.hpp"
#include "ports/stream_server.hpp"

namespace ota {

struct TaskConfig {
    int priority = 5;
    uint32_t stack_size = 8192;  // bytes
    int core = 0;
};

// A task for the engine, or for the links.
class Task {
  public:
    // Calls entry(context) in a new task. kNoSpace when there is none to be had.
    virtual Status start(const TaskConfig& config, void (*entry)(void*), void* context) = 0;
    // Returns after entry has returned.
    virtual void join() = 0;
    // Is the caller inside this task (a callback)?
    virtual bool is_current() = 0;
    // Lets the calling task sleep for about a millisecond.
    virtual void pause() = 0;

  protected:
    ~Task() = default;
};

// Where the links' task rests until something comes on one of its lines.
class LinkRest {
  public:
    virtual void rest(Millis longest) = 0;

  protected:
    ~LinkRest() = default;
};

// Where log lines go that have a task of their own. Null: this platform has no such thing.
struct SlowLogs {
    Task* task = nullptr;
    LogStore* sd_card = nullptr;
    LogStore* spool = nullptr;   // on the same card; needed with both sinks alone
    HttpClient* http = nullptr;  // not the engine's
};

// Null: this platform has no such line.
struct FieldBuses {
    Task* task = nullptr;
    LinkRest* rest = nullptr;
    StreamServer* modbus_tcp = nullptr;
    SerialPort* modbus_line = nullptr;
    CanBus* can = nullptr;
    uint32_t least_silence = 0;  // µs, see RtuLink
};

// What is there for the whole life of the manager.
struct Platform {
    Flash& running;
    Flash& standby;
    Flash& journal;
    BootControl& boot;
    Clock& clock;
    Restart& restart;
    Mailbox& mailbox;
    StatusSignal& signal;
    Task& task;
    HttpClient* http;      // null: this build has none
    FileStore* sd_card;    // likewise
    FileStore* usb_drive;  // likewise
    LogSink* console;      // null: no console log
    EventSink* events;     // null: the platform has no event loop
    ErasePolicy erase_policy;
    uint16_t chip_id;
    uint16_t chip_revision;  // major * 100 + minor
    Flash* config;           // ota_cfg; null: this device has none
    Flash* stage;            // ota_stage; likewise
    ModuleBoards* modules;   // likewise
    FieldBuses buses;
    MqttClient* mqtt = nullptr;  // null: this build has none
    SlowLogs logs;
    bool console_progress = true;  // a line each tenth; false: something else shows it
};

// Opens partitions and services: the platform, or null and why (kPartitionMissing …).
const Platform* open_platform(Status& why);
void close_platform();

// For a platform whose memory outlives a boot, as in tests of the twin: the chip was reset.
void note_new_boot();

}  // namespace ota
