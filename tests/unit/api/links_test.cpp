// Field buses through the C API: engine and links in threads of their own, and a real master.
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>

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

TEST_F(FieldBuses, StopAndStartLeaveNothingBehind) {
    start(modbus_config());
    push();
    ASSERT_EQ(ota_manager_stop(), ESP_OK);
    ASSERT_EQ(ota_manager_start(), ESP_OK);
    push();
    EXPECT_EQ(wait(OTA_STATUS_READY_TO_APPLY), ESP_OK);
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
