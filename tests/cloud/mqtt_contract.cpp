// The twin's MQTT client against a real broker: mqtt_contract PORT CA CERTIFICATE KEY, all but the
// first of them files; 127.0.0.1, port 1, has nobody.
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "contracts/mqtt_client.hpp"
#include "linux/mqtt_mosquitto.hpp"

namespace ota {
namespace {

char** arguments;

std::string text_of(const char* file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

struct Settings {
    std::string ca = text_of(arguments[2]);
    std::string certificate = text_of(arguments[3]);
    std::string key = text_of(arguments[4]);
    MqttConfig config() const {
        MqttConfig out;
        out.host = "localhost";
        out.port = static_cast<uint16_t>(std::atoi(arguments[1]));
        out.client_id = "contract";
        out.tls.ca_pem = ca.c_str();
        out.tls.client_cert_pem = certificate.c_str();
        out.tls.client_key_pem = key.c_str();
        return out;
    }
};

TEST(MqttClientContract, Mosquitto) {
    const Settings settings;
    MosquittoClient client;
    contract::check_mqtt_client(client, settings.config());
}

TEST(MqttClientContract, NobodyThere) {
    const Settings settings;
    MosquittoClient client;
    MqttConfig config = settings.config();
    config.port = 1;
    contract::check_nobody_there(client, config);
}

}  // namespace
}  // namespace ota

int main(int argc, char** argv) {
    if (argc != 5) return EXIT_FAILURE;
    ota::arguments = argv;
    return small_harness::run_all();
}
