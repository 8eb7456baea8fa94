#include "push_commands.hpp"

#include "bus_tables.hpp"
#include "can_peer.hpp"
#include "modbus_peer.hpp"
#include "modules.hpp"
#include "push.hpp"
#include "show_peer.hpp"

namespace otactl {
namespace {

void add_place(CLI::App& command, ModbusPlace& place) {
    CLI::Option* host = command.add_option("--host", place.host, "Device on TCP");
    CLI::Option* line =
        command.add_option("--line", place.line, "Serial line, as /dev/ttyUSB0: RTU");
    host->excludes(line);
    command.add_option("--port", place.port, "TCP port")->capture_default_str();
    command.add_option("--baud", place.baud, "Rate of the line")
        ->check(CLI::IsMember(
            {9600, 19200, 38400, 57600, 115200, 230400, 460800, 500000, 921600, 1000000}))
        ->capture_default_str();
    command.add_option("--format", place.format, "8E1, 8N1 or 8N2")
        ->check(CLI::IsMember({"8E1", "8N1", "8N2"}))
        ->capture_default_str();
    command.add_option("--unit", place.unit, "Unit identifier")
        ->check(CLI::Range(1, 247))
        ->capture_default_str();
    command.add_option("--base", place.base, "First register of the update block")
        ->check(CLI::Range(0, 65000))
        ->capture_default_str();
}

void check_place(const ModbusPlace& place) {
    if (place.host.empty() && place.line.empty()) {
        throw Failure(Exit::kUsage, "where is the device? --host HOST, or --line /dev/ttyUSB0");
    }
}

void add_place(CLI::App& command, CanPlace& place) {
    command
        .add_option("--interface", place.interface,
                    "can0, slcan:/dev/ttyACM0, or udp:239.74.163.2 (python-can's udp_multicast)")
        ->capture_default_str();
    command.add_option("--bitrate", place.bitrate, "Of a serial adapter")->capture_default_str();
    command.add_flag("--fd", place.fd, "CAN FD frames");
}

void add_device(CLI::App& command, CanPlace& place) {
    add_place(command, place);
    command.add_option("--request-id", place.request_id, "Identifier to the device (0x1CDA10F1)")
        ->check(CLI::Range(0U, 0x1FFFFFFFU));
    command.add_option("--response-id", place.response_id, "And from it (0x1CDAF110)")
        ->check(CLI::Range(0U, 0x1FFFFFFFU));
}

// Said before the device is looked for.
void require_file(const std::string& path) {
    if (!exists(path)) throw Failure(Exit::kIo, path + ": no such file");
}

void add_push_options(CLI::App& command, PushOptions& options) {
    command.add_option("PACKAGE", options.package, "Signed image or SUIT package")->required();
    command.add_flag("--apply", options.apply,
                     "Let the device restart into it, and wait for the new version");
    CLI::Option* hmac = command.add_option("--access-hmac", options.access.hmac_file,
                                           "Key for the device's door: 64 hexadecimal digits");
    command
        .add_option("--access-key", options.access.key,
                    "Or an ECDSA P-256 private key: PEM, or pkcs11: URI")
        ->excludes(hmac);
    command
        .add_option("--patience", options.patience,
                    "Seconds without the device before it is given up")
        ->capture_default_str();
    command.add_flag("--json", options.json, "The result as JSON, no progress");
    command.add_flag("--quiet", options.quiet, "Errors alone");
}

// A device that is not there ends a command, as any other failure does.
template <typename Peer, typename Place, typename Action>
void with_peer(const Place& place, Action action) {
    try {
        Peer peer(place);
        action(peer);
    } catch (const PeerLost& lost) {
        throw Failure(Exit::kPeer, lost.what());
    }
}

constexpr const char* kAgain =
    "Whatever ends it, Ctrl-C or a pulled cable: the same command goes on where it was.\n";

}  // namespace

void add_push(CLI::App& app) {
    CLI::App* push_app = app.add_subcommand("push", "Push a package to a device over a field bus");
    push_app->require_subcommand(1);
    struct Options {
        ModbusPlace modbus;
        CanPlace can;
        PushOptions push;
    };
    auto o = std::make_shared<Options>();
    CLI::App* modbus = push_app->add_subcommand("modbus", "Over Modbus TCP or RTU");
    modbus->footer(std::string(kAgain) +
                   "Example:\n  otactl push modbus --host 192.168.1.40 --apply bess-1.1.0.suit\n"
                   "  otactl push modbus --line /dev/ttyUSB0 --baud 115200 bess-1.1.0.bin");
    add_push_options(*modbus, o->push);
    modbus->add_flag("--replace", o->push.open.replaces,
                     "Give up the part of another package that the device holds");
    add_place(*modbus, o->modbus);
    modbus->callback([o] {
        check_place(o->modbus);
        require_file(o->push.package);
        with_peer<ModbusPeer>(o->modbus, [&](PushPeer& peer) { push(peer, o->push); });
    });
    CLI::App* can = push_app->add_subcommand("can", "By UDS on CAN");
    can->footer(std::string(kAgain) +
                "Example:\n  otactl push can --interface can0 --apply bess-1.1.0.suit\n"
                "  otactl push can --interface slcan:/dev/ttyACM0 bess-1.1.0.bin");
    add_push_options(*can, o->push);
    add_device(*can, o->can);
    can->callback([o] {
        require_file(o->push.package);
        with_peer<CanPeer>(o->can, [&](PushPeer& peer) { push(peer, o->push); });
    });
}

void add_identify(CLI::App& app) {
    CLI::App* identify =
        app.add_subcommand("identify", "Ask a device on a field bus what it is and does");
    identify->require_subcommand(1);
    struct Options {
        ModbusPlace modbus;
        CanPlace can;
        bool json = false;
        bool map = false;
    };
    auto o = std::make_shared<Options>();
    CLI::App* modbus = identify->add_subcommand("modbus", "Over Modbus TCP or RTU");
    modbus->footer("Example:\n  otactl identify modbus --host 192.168.1.40");
    add_place(*modbus, o->modbus);
    modbus->add_flag("--json", o->json, "As JSON");
    modbus->add_flag("--map", o->map,
                     "Print the registers instead, as docs/modbus-map.md has them");
    modbus->callback([o] {
        if (o->map) return print_modbus_map();
        check_place(o->modbus);
        with_peer<ModbusPeer>(o->modbus, [&](PushPeer& peer) { show_peer(peer, o->json); });
    });
    CLI::App* can = identify->add_subcommand("can", "By UDS on CAN");
    can->footer("Example:\n  otactl identify can --interface can0");
    add_device(*can, o->can);
    can->add_flag("--json", o->json, "As JSON");
    can->callback(
        [o] { with_peer<CanPeer>(o->can, [&](PushPeer& peer) { show_peer(peer, o->json); }); });
}

void add_modules(CLI::App& app) {
    CLI::App* modules = app.add_subcommand("modules", "List the module boards on a CAN bus");
    modules->footer(
        "Exit code 7: no board answers; 5: with --image, one runs another, or does not answer.\n"
        "Example:\n  otactl modules --interface can0 --image module-2.0.0.bin");
    auto o = std::make_shared<ModulesOptions>();
    add_place(*modules, o->place);
    modules->add_option("--count", o->count, "Boards there are")
        ->check(CLI::Range(1, 12))
        ->capture_default_str();
    modules->add_option("--first", o->first, "Address of the first (0x21)")
        ->check(CLI::Range(1, 0xF0));
    modules->add_option("--image", o->image, "That they should run");
    modules->add_flag("--json", o->json, "As JSON");
    modules->callback([o] {
        if (!o->image.empty()) require_file(o->image);
        show_modules(*o);
    });
}

}  // namespace otactl
