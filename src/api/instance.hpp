#pragma once

#include "api/callbacks.hpp"
#include "api/life_cycle.hpp"
#include "api/links.hpp"
#include "api/log_works.hpp"
#include "api/platform.hpp"
#include "sources/aws/aws_source.hpp"
#include "sources/file/file_channel.hpp"
#include "sources/file/file_source.hpp"
#include "sources/https/https_channel.hpp"
#include "sources/https/https_source.hpp"

namespace ota {

inline constexpr size_t kMaxFileSources = 4;

// A file source with the channel that announces its files.
struct FilePair {
    FilePair(FileStore& store, const char* path) : channel(store, path), source(store) {}
    FileChannel channel;
    FileSource source;
};

// The HTTPS source with its channel, and the request fields that the configuration adds.
struct HttpsPair {
    HttpsPair(const Platform& platform, const TimeFloor& floor, const ota_https_config_t& config);
    std::array<HttpField, kMaxCustomFields> fields;
    HttpsChannel channel;
    HttpsSource source;
};

// AWS IoT: jobs and streams over MQTT, and an HTTPS source for pre-signed URLs, without credentials
// of its own.
struct AwsParts {
    AwsParts(const Platform& platform, Manager& manager, const ota_aws_iot_config_t& config);
    std::optional<HttpsSource> web;
    AwsPair pair;
};

struct UserSafetyCallback {
    ota_safety_cb_t callback = nullptr;
    void* user = nullptr;
};

inline constexpr size_t kMaxProbes = 4;

// Everything between init and deinit, in one static place: no heap. To be used inside a Call alone.
struct Instance {
    Instance(const Platform& platform, const BootStatus& boot, const ota_manager_config_t& config);

    const Platform& platform;
    CallbackBattery battery;
    CallbackSink sink;
    TaskConfig task_config;
    LogWorks log;
    Workspace workspace;
    std::array<BusDoors, build::kLinks ? 1 : 0> bus_doors;
    Manager manager;
    FixedVector<CallbackProbe, kMaxProbes> probes;
    std::array<std::optional<FilePair>, build::kFiles ? kMaxFileSources : 0> files;
    std::array<std::optional<HttpsPair>, build::kHttps ? 1 : 0> https;
    std::array<std::optional<AwsParts>, build::kAwsIot ? 1 : 0> aws;
    std::array<std::optional<Links>, build::kLinks ? 1 : 0> links;
    size_t source_count = 0;
    bool takes_unsigned;
    UserSafetyCallback safety;
};

extern Instance* instance;  // null outside kReady … kStopping
extern LifeCycle life;
extern const char* config_error;  // field and rule; "" after success

// Checks the configuration and makes the instance; in kOpening. Whatever it returns,
// close_instance() cleans up.
esp_err_t open_instance(const ota_manager_config_t& config);
void close_instance();

// The memory of the instance, for who works before there is one; in kOpening. Wiped by who used it.
MutableBytes instance_memory();

// The medium of a further source; config passed check_source.
esp_err_t add_source(Instance& self, ota_source_t source, const ota_source_config_t& config);

// Sinks of the log; config passed check_log.
esp_err_t set_log(Instance& self, const ota_log_config_t& config);

// The boards behind the controller; config passed check_modules.
esp_err_t set_modules(Instance& self, const ota_modules_config_t& config);

// A restart that was asked for is the only way on.
bool is_leaving(State state);

}  // namespace ota
