// Field buses through the C API: engine and links in threads of their own, and a real master.
#include "api/links.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>

#include <array>
#include <atomic>
#include <thread>

#include "api_bench.hpp"
#include "otactl/modbus_peer.hpp"
#include "otactl/push.hpp"

namespace api_test {
namespace {

class FieldBuses : public CApi {
  protected:
    static uint16_t free_port() {
        const int probe = socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in own{};
        own.sin_family = AF_INET;
        own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof own;
        EXPECT_EQ(bind(probe, reinterpret_cast<const sockaddr*>(&own), size), 0);
        EXPECT_EQ(getsockname(probe, reinterpret_cast<sockaddr*>(&own), &size), 0);
        close(probe);
        return ntohs(own.sin_port);
    }
    ota_manager_config_t modbus_config() const {
        ota_manager_config_t out = config();
        out.source = OTA_SOURCE_MODBUS;
        out.config.modbus = {};
        out.config.modbus.tcp_port = port_;
        return out;
    }
    otactl::ModbusPlace place() const {
        otactl::ModbusPlace out;
        out.host = "127.0.0.1";
        out.port = std::to_string(port_);
        return out;
    }
    // The package on the card, as somebody's laptop has it.
    void push() {
        otactl::ModbusPeer peer(place());
        otactl::PushOptions options;
        options.package = card_ + "/bess.bin";
        options.quiet = true;
        otactl::push(peer, options);
    }
    const uint16_t port_ = free_port();
};

TEST_F(FieldBuses, MasterPushesWhileTheEngineWrites) {
    start(modbus_config());
    push();
    ASSERT_EQ(wait(OTA_STATUS_READY_TO_APPLY), ESP_OK);
    ota_update_info_t info{};
    ASSERT_EQ(ota_manager_get_update_info(&info), ESP_OK);
    EXPECT_STREQ(info.version, "1.1.0");
    ASSERT_EQ(ota_manager_apply(), ESP_OK);
    ASSERT_EQ(wait(OTA_STATUS_REBOOTING), ESP_OK);
}

// A Modbus server that the application has, with registers of its own and one master at a time.
class ApplicationServer {
  public:
    explicit ApplicationServer(uint16_t port) : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in own{};
        own.sin_family = AF_INET;
        own.sin_port = htons(port);
        own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(bind(listener_, reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
        EXPECT_EQ(listen(listener_, 4), 0);
        thread_ = std::thread([this] { run(); });
    }
    ~ApplicationServer() {
        (void)shutdown(listener_, SHUT_RDWR);
        thread_.join();
        close(listener_);
    }
    std::atomic<int> own_requests{0};
    std::atomic<int> timeouts{0};

  private:
    void run() {
        for (int peer = accept(listener_, nullptr, nullptr); peer >= 0;
             peer = accept(listener_, nullptr, nullptr)) {
            while (serve(peer)) {
            }
            close(peer);
        }
    }
    // MODBUS Messaging on TCP/IP V1.0b, 4.1: transaction, protocol, length, unit.
    bool serve(int peer) {
        std::array<uint8_t, 7> head{};
        std::array<uint8_t, 256> request{};
        std::array<uint8_t, 260> answer{};
        if (recv(peer, head.data(), head.size(), MSG_WAITALL) != 7) return false;
        const size_t size = static_cast<size_t>(head[4] << 8 | head[5]) - 1;
        if (recv(peer, request.data(), size, MSG_WAITALL) != static_cast<ssize_t>(size))
            return false;
        size_t length = 0;
        const esp_err_t error =
            ota_manager_modbus_request(request.data(), size, &answer[7], 253, &length);
        if (error != ESP_OK) {
            ++(error == ESP_ERR_NOT_FOUND ? own_requests : timeouts);
            answer[7] = static_cast<uint8_t>(request[0] | 0x80);
            answer[8] = error == ESP_ERR_NOT_FOUND ? 2 : 6;
            length = 2;
        }
        std::copy(head.begin(), head.end(), answer.begin());
        answer[4] = static_cast<uint8_t>((length + 1) >> 8);
        answer[5] = static_cast<uint8_t>(length + 1);
        return ::send(peer, answer.data(), length + 7, MSG_NOSIGNAL) ==
               static_cast<ssize_t>(length + 7);
    }

    const int listener_;
    std::thread thread_;
};

// Nothing is listened to: the application's server asks, as esp-modbus' handlers do on the chip.
TEST_F(FieldBuses, ServerOfTheApplicationIsShared) {
    ota_manager_config_t c = modbus_config();
    c.config.modbus.tcp_port = 0;
    c.config.modbus.shared = true;
    std::array<uint8_t, 253> answer{};
    size_t length = 0;
    const std::array<uint8_t, 5> magic{3, 0x1F, 0x40, 0, 2};  // of the block at 8000
    const auto ask = [&](ota::Bytes request) {
        return ota_manager_modbus_request(request.data(), request.size(), answer.data(),
                                          answer.size(), &length);
    };
    EXPECT_EQ(ask(magic), ESP_ERR_INVALID_STATE);
    init(c);
    EXPECT_EQ(ask(magic), ESP_ERR_INVALID_STATE);  // not started
    ASSERT_EQ(ota_manager_start(), ESP_OK);
    ASSERT_EQ(ask(magic), ESP_OK);
    ASSERT_EQ(length, 6U);
    EXPECT_EQ(std::string(&answer[2], &answer[6]), "OTA1");
    EXPECT_EQ(ask(std::array<uint8_t, 5>{3, 0x1F, 0x3F, 0, 2}), ESP_ERR_NOT_FOUND);
    EXPECT_EQ(ask({}), ESP_ERR_INVALID_ARG);
    EXPECT_EQ(ota_manager_modbus_request(magic.data(), 5, answer.data(), 252, &length),
              ESP_ERR_INVALID_ARG);
    {
        ApplicationServer server(port_);
        push();
        EXPECT_EQ(server.timeouts, 0);
    }
    EXPECT_EQ(wait(OTA_STATUS_READY_TO_APPLY), ESP_OK);
    ASSERT_EQ(ota_manager_stop(), ESP_OK);
    EXPECT_EQ(ask(magic), ESP_ERR_INVALID_STATE);
}

TEST_F(FieldBuses, SharedServerOfSeveralTasks) {
    ota_manager_config_t c = modbus_config();
    c.config.modbus.tcp_port = 0;
    c.config.modbus.shared = true;
    start(c);
    std::array<std::thread, 4> tasks;
    std::atomic<int> good{0};
    std::atomic<int> timeouts{0};
    for (size_t i = 0; i < tasks.size(); ++i) {
        tasks[i] = std::thread([&, i] {
            // Each asks for so many registers, so that an answer of another is noticed.
            const std::array<uint8_t, 5> request{3, 0x1F, 0x40, 0, static_cast<uint8_t>(i + 1)};
            for (int k = 0; k < 50; ++k) {
                std::array<uint8_t, 253> answer{};
                size_t length = 0;
                const esp_err_t error = ota_manager_modbus_request(
                    request.data(), request.size(), answer.data(), answer.size(), &length);
                good += error == ESP_OK && length == 2 * (i + 1) + 2 ? 1 : 0;
                timeouts += error == ESP_ERR_TIMEOUT ? 1 : 0;
            }
        });
    }
    for (std::thread& task : tasks) task.join();
    EXPECT_EQ(good + timeouts, 200);  // one may find the others before him too often
    EXPECT_GT(good, 100);
}

TEST_F(FieldBuses, StopAndStartLeaveNothingBehind) {
    start(modbus_config());
    push();
    ASSERT_EQ(ota_manager_stop(), ESP_OK);
    ASSERT_EQ(ota_manager_start(), ESP_OK);
    push();
    EXPECT_EQ(wait(OTA_STATUS_READY_TO_APPLY), ESP_OK);
}

struct AtWork final : ota::EngineView {
    ota::EngineSnapshot snapshot() const override { return {}; }
    bool would_accept(ota::CommandKind) const override { return true; }
};

struct OneThread final : ota::Task {
    ota::Status start(const ota::TaskConfig&, void (*entry)(void*), void* context) override {
        thread = std::thread(entry, context);
        return {};
    }
    void join() override { thread.join(); }
    bool is_current() override { return false; }
    void pause() override {}
    std::thread thread;
};

struct QuietBus final : ota::CanBus {
    ota::Status open(const ota::CanConfig&) override { return {}; }
    ota::Result<bool> receive(ota::CanFrame& out) override {
        if (!incoming) return false;
        out = *incoming;
        incoming.reset();
        return true;
    }
    ota::Status send(const ota::CanFrame&) override { return {}; }
    Sending sending() override { return Sending::kSent; }
    void close() override {}
    std::optional<ota::CanFrame> incoming;
};

// Does not rest, but notes how long it might. Behind the third rest a message begins that will not
// go on.
struct NotedRest final : ota::LinkRest {
    explicit NotedRest(QuietBus& b) : bus(b) {}
    void rest(ota::Millis longest) override {
        if (is_over) return std::this_thread::yield();
        lengths.push_back(longest);
        is_over = lengths.size() == 6;
        if (lengths.size() == 3) {
            ota::CanFrame first;
            first.id = 0x1CDA10F1;
            first.is_29_bit = true;
            first.size = 8;
            first.data = {0x10, 20, 0x34};
            bus.incoming = first;
        }
    }
    QuietBus& bus;
    std::vector<ota::Millis> lengths;
    std::atomic<bool> is_over{false};
};

TEST_F(FieldBuses, RestsAreShortWhileAMessageIsOnItsWayAlone) {
    ota::Status status;
    const ota::Platform* const twin = ota::open_platform(status);
    ASSERT_NE(twin, nullptr);
    QuietBus bus;
    NotedRest rest(bus);
    OneThread task;
    ota::Platform platform = *twin;
    platform.buses = {.task = &task, .rest = &rest, .can = &bus};
    AtWork engine;
    ota::BusDoors doors;
    {
        const ota_manager_config_t config = this->config();
        ota::Links links(platform, engine, doors, config);
        ASSERT_TRUE(links.open_canbus({}).ok());
        ASSERT_TRUE(links.start({}).ok());
        while (!rest.is_over) std::this_thread::yield();
        links.stop();
    }
    ota::close_platform();
    EXPECT_EQ(rest.lengths, (std::vector<ota::Millis>{5, 5, 5, 1, 1, 1}));
}

TEST_F(FieldBuses, EachOnceAndWhereThePlatformHasIt) {
    init(modbus_config());
    ota_source_config_t more{};
    more.modbus.tcp_port = free_port();
    EXPECT_EQ(ota_manager_add_source(OTA_SOURCE_MODBUS, &more), ESP_ERR_NO_MEM);
    more = {};
    more.canbus.interface = "no-such-bus";
    EXPECT_EQ(ota_manager_add_source(OTA_SOURCE_CANBUS, &more), ESP_FAIL);
    EXPECT_NE(std::string(ota_manager_config_error()).find("CAN interface"), std::string::npos);
    more.canbus.interface = "slcan:/no/such/line";
    EXPECT_EQ(ota_manager_add_source(OTA_SOURCE_CANBUS, &more), ESP_FAIL);
}

TEST_F(FieldBuses, PortThatIsTakenIsSaid) {
    init(modbus_config());
    (void)ota_manager_deinit();
    const int other = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_port = htons(port_);
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(bind(other, reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
    ASSERT_EQ(listen(other, 1), 0);
    const ota_manager_config_t c = modbus_config();
    EXPECT_EQ(ota_manager_init(&c), ESP_FAIL);
    EXPECT_NE(std::string(ota_manager_config_error()).find("another program"), std::string::npos);
    close(other);
}

TEST_F(FieldBuses, ConfigurationIsCheckedAsAWhole) {
    const auto refused = [&](const char* field, const auto& change) {
        ota_manager_config_t c = modbus_config();
        change(c);
        EXPECT_EQ(ota_manager_init(&c), ESP_ERR_INVALID_ARG);
        EXPECT_NE(std::string(ota_manager_config_error()).find(field), std::string::npos) << field;
    };
    refused("unit_id", [](ota_manager_config_t& c) { c.config.modbus.unit_id = 248; });
    refused("register_base",
            [](ota_manager_config_t& c) { c.config.modbus.register_base = 65001; });
    refused("baud_rate", [](ota_manager_config_t& c) { c.config.modbus.baud_rate = 9599; });
    refused("shared", [](ota_manager_config_t& c) { c.config.modbus.shared = true; });
    refused("baud_rate", [](ota_manager_config_t& c) { c.config.modbus.baud_rate = 1000001; });
    const char* const long_one = "12345678901234567";
    refused("serial_number", [&](ota_manager_config_t& c) { c.serial_number = long_one; });
    refused("serial_number", [](ota_manager_config_t& c) { c.serial_number = "a\nb"; });
    const auto can = [](ota_manager_config_t& c) {
        c.source = OTA_SOURCE_CANBUS;
        c.config.canbus = {};
    };
    refused("request_id", [&](ota_manager_config_t& c) {
        can(c);
        c.config.canbus.request_id = 0x20000000;
        c.config.canbus.response_id = 1;
    });
    refused("both or neither", [&](ota_manager_config_t& c) {
        can(c);
        c.config.canbus.request_id = 1;
    });
    refused("not the same", [&](ota_manager_config_t& c) {
        can(c);
        c.config.canbus.request_id = c.config.canbus.response_id = 1;
    });
    refused("bus_load", [&](ota_manager_config_t& c) {
        can(c);
        c.config.canbus.bus_load = 101;
    });
    refused("bitrate", [&](ota_manager_config_t& c) {
        can(c);
        c.config.canbus.bitrate = 1000001;
    });
    ota_manager_config_t keys = modbus_config();
    keys.access_keys_pem = "nonsense";
    EXPECT_EQ(ota_manager_init(&keys), ESP_ERR_OTA_MGR_KEY);
    EXPECT_NE(std::string(ota_manager_config_error()).find("access_keys_pem"), std::string::npos);
    keys.access_keys_pem = test::public_pem(test::Key::kRsa);  // nobody could pass with it
    EXPECT_EQ(ota_manager_init(&keys), ESP_ERR_OTA_MGR_KEY);
}

class ModulesApi : public CApi {
  protected:
    void SetUp() override {
        CApi::SetUp();
        const ota_manager_config_t c = config();
        ASSERT_EQ(ota_manager_init(&c), ESP_OK);
    }
};

TEST_F(ModulesApi, ConfigurationIsCheckedFieldByField) {
    const auto refused = [](const char* field, auto change) {
        ota_modules_config_t c{};
        change(c);
        EXPECT_EQ(ota_manager_set_modules(&c), ESP_ERR_INVALID_ARG);
        EXPECT_NE(std::string(ota_manager_config_error()).find(field), std::string::npos) << field;
    };
    refused("count", [](ota_modules_config_t& c) { c.count = 13; });
    refused("first_address", [](ota_modules_config_t& c) { c.first_address = 0xF8; });
    refused("first_address", [](ota_modules_config_t& c) { c.first_address = 0x08; });
    refused("quorum", [](ota_modules_config_t& c) {
        c.count = 4;
        c.quorum = 5;
    });
    refused("bus_load", [](ota_modules_config_t& c) { c.bus_load = 101; });
    refused("bitrate", [](ota_modules_config_t& c) { c.bitrate = 5000; });
    EXPECT_EQ(ota_manager_set_modules(nullptr), ESP_ERR_INVALID_ARG);
    ota_modules_config_t nowhere{};
    nowhere.interface = "nothing0";
    EXPECT_NE(ota_manager_set_modules(&nowhere), ESP_OK);
    EXPECT_NE(std::string(ota_manager_config_error()).find("CAN interface"), std::string::npos);
}

// On a pseudo terminal that stands for a serial CAN adapter.
TEST_F(ModulesApi, OneBusForServerAndBoards) {
    const int adapter = posix_openpt(O_RDWR | O_NOCTTY);
    ASSERT_GE(adapter, 0);
    ASSERT_EQ(grantpt(adapter), 0);
    ASSERT_EQ(unlockpt(adapter), 0);
    const std::string name = std::string("slcan:") + ptsname(adapter);
    ota_source_config_t server{};
    server.canbus.interface = name.c_str();
    ASSERT_EQ(ota_manager_add_source(OTA_SOURCE_CANBUS, &server), ESP_OK);
    ota_modules_config_t boards{};
    boards.interface = name.c_str();
    boards.bitrate = 250000;
    EXPECT_NE(ota_manager_set_modules(&boards), ESP_OK);  // the same bus at another rate
    boards.bitrate = 500000;
    EXPECT_EQ(ota_manager_set_modules(&boards), ESP_OK);
    EXPECT_EQ(ota_manager_set_modules(&boards), ESP_ERR_INVALID_STATE);
    ASSERT_EQ(ota_manager_start(), ESP_OK);
    EXPECT_EQ(ota_manager_set_modules(&boards), ESP_ERR_INVALID_STATE);
    ASSERT_EQ(ota_manager_stop(), ESP_OK);
    ASSERT_EQ(ota_manager_deinit(), ESP_OK);
    close(adapter);
}

}  // namespace
}  // namespace api_test
