/*
 * Types of the OTA manager's C API: states, errors, notices, configuration and defaults.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ota_manager_err.h"

#if defined(__has_include)
#if __has_include("esp_err.h")
#include "esp_err.h"
#define OTA_MANAGER_HAS_ESP_ERR 1
#endif
#endif

#ifndef OTA_MANAGER_HAS_ESP_ERR
/* The values of ESP-IDF (components/esp_common/include/esp_err.h) for hosts without it. */
typedef int esp_err_t;
#define ESP_OK 0
#define ESP_FAIL (-1)
#define ESP_ERR_NO_MEM 0x101
#define ESP_ERR_INVALID_ARG 0x102
#define ESP_ERR_INVALID_STATE 0x103
#define ESP_ERR_NOT_FOUND 0x105
#define ESP_ERR_NOT_SUPPORTED 0x106
#define ESP_ERR_TIMEOUT 0x107
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Where updates come from. */
typedef enum {
    OTA_SOURCE_HTTPS = 0,
    OTA_SOURCE_AWS_IOT,
    OTA_SOURCE_MODBUS,
    OTA_SOURCE_CANBUS,
    OTA_SOURCE_SD_CARD,
    OTA_SOURCE_USB_DRIVE,
} ota_source_t;

/* The state machine of the specification. */
typedef enum {
    OTA_STATUS_IDLE = 0,
    OTA_STATUS_CHECKING,
    OTA_STATUS_UPDATE_AVAILABLE,
    OTA_STATUS_DOWNLOADING,
    OTA_STATUS_VERIFYING,
    OTA_STATUS_READY_TO_APPLY,
    OTA_STATUS_APPLYING,
    OTA_STATUS_COMPLETE,
    OTA_STATUS_REBOOTING,
    OTA_STATUS_FAILED,
    OTA_STATUS_ABORTED,
} ota_status_t;

/* Bit of a state for ota_manager_wait_for_status(). */
#define OTA_STATUS_BIT(status) (UINT32_C(1) << (status))

typedef enum {
    OTA_ERR_NONE = 0,
    OTA_ERR_NO_UPDATES,
    OTA_ERR_CONNECTIVITY,
    OTA_ERR_SERVER,
    OTA_ERR_AUTHENTICATION,
    OTA_ERR_INSUFFICIENT_SPACE,
    OTA_ERR_VALIDATION_FAILED,
    OTA_ERR_FLASH_WRITE,
    OTA_ERR_INCOMPATIBLE_VERSION,
    OTA_ERR_BATTERY_LOW,
    OTA_ERR_BMS_UNSAFE,
    OTA_ERR_INTERNAL,
} ota_error_t;

/* What happens beside the states. */
typedef enum {
    OTA_NOTICE_TRIAL_STARTED = 0, /* a new image runs and has to prove itself */
    OTA_NOTICE_CONFIRMED,         /* it has; it is kept */
    OTA_NOTICE_REVERTED,          /* a new image was given up; the previous one runs */
    OTA_NOTICE_PAUSED,            /* the safety gate closed; the update waits */
    OTA_NOTICE_RESUMED,           /* it is open again */
    OTA_NOTICE_REPAIRED,          /* a boot record lost to a power cut was restored */
} ota_notice_t;

/* Why an image was given up. */
typedef enum {
    OTA_REVERT_NONE = 0,
    OTA_REVERT_NEVER_BOOTED,
    OTA_REVERT_CRASHED,
    OTA_REVERT_WATCHDOG,
    OTA_REVERT_UNHEALTHY,
    OTA_REVERT_DEADLINE,
    OTA_REVERT_POWER_CYCLE,
    OTA_REVERT_OTHER_IMAGE,
    OTA_REVERT_REQUESTED,
} ota_revert_reason_t;

/* How an attempt to update ended. */
typedef enum {
    OTA_OUTCOME_NONE = 0,    /* none was made yet */
    OTA_OUTCOME_FAILED,      /* phase and error say where and why */
    OTA_OUTCOME_ABORTED,     /* by command */
    OTA_OUTCOME_INTERRUPTED, /* by a reset before the restart into the new image */
    OTA_OUTCOME_RESTARTED,   /* into the new image; not decided yet */
    OTA_OUTCOME_CONFIRMED,
    OTA_OUTCOME_REVERTED, /* revert_reason says why */
    OTA_OUTCOME_KEPT,     /* unhealthy, but no other image boots */
} ota_outcome_t;

/* What a package can be about. */
typedef enum {
    OTA_COMPONENT_APP = 0,     /* the application */
    OTA_COMPONENT_APP_RUNNING, /* the running one, read only */
    OTA_COMPONENT_CONFIG,      /* the configuration in ota_cfg */
    OTA_COMPONENT_STAGE,       /* the scratch place ota_stage */
    OTA_COMPONENT_MODULE,      /* a module board; number says which */
    OTA_COMPONENT_SETTINGS,    /* with .settings_packages */
} ota_component_kind_t;

/* What became of a component in an attempt. */
typedef enum {
    OTA_COMPONENT_NOT_REACHED = 0,
    OTA_COMPONENT_HELD_ALREADY, /* nothing had to be done */
    OTA_COMPONENT_WRITTEN,      /* and read back; runs when the attempt ended well */
    OTA_COMPONENT_FAILED,       /* detail says why */
} ota_component_outcome_t;

typedef struct {
    ota_component_kind_t kind;
    uint8_t number; /* of a module board: 1… */
    ota_component_outcome_t outcome;
    const char* detail; /* with FAILED; never NULL, static storage */
} ota_component_result_t;

#define OTA_MAX_COMPONENTS 16

/* What started the chip. */
typedef enum {
    OTA_RESET_UNKNOWN = 0,
    OTA_RESET_POWER_ON,
    OTA_RESET_SOFTWARE,
    OTA_RESET_PANIC,
    OTA_RESET_WATCHDOG,
    OTA_RESET_BROWNOUT,
} ota_reset_t;

/* What an update is about to do, for the safety callback. */
typedef enum {
    OTA_PHASE_DOWNLOAD = 0,
    OTA_PHASE_INSTALL,
    OTA_PHASE_REBOOT,
} ota_phase_t;

typedef enum {
    OTA_HEALTH_PENDING = 0, /* not known yet; asked again */
    OTA_HEALTH_PASS,
    OTA_HEALTH_FAIL, /* final: reverts at once */
} ota_health_t;

/* ---- callbacks: all run in the engine's context and must not block ---- */

typedef void (*ota_event_cb_t)(ota_status_t status, ota_error_t error, void* user_data);

/* received never exceeds a known total; total 0 = unknown. Bytes. */
typedef void (*ota_progress_cb_t)(size_t received, size_t total, void* user_data);

typedef struct {
    ota_notice_t notice;
    ota_revert_reason_t revert_reason; /* with OTA_NOTICE_REVERTED */
    ota_error_t error;                 /* with OTA_NOTICE_PAUSED: BATTERY_LOW or BMS_UNSAFE */
    const char* detail;                /* what and why, never NULL; static storage */
    int32_t reading; /* with PAUSED: the value that closed the gate: %, m°C, mA, ms */
    int32_t limit;   /* and its limit, same unit */
} ota_notice_info_t;
typedef void (*ota_notice_cb_t)(const ota_notice_info_t* info, void* user_data);

/* Return true when the plant allows this phase now. */
typedef bool (*ota_safety_cb_t)(ota_phase_t phase, void* user_data);

typedef struct {
    int32_t soc_percent;         /* 0…100 */
    int32_t t_min_millicelsius;  /* coldest cell */
    int32_t t_max_millicelsius;  /* hottest cell */
    int32_t current_milliampere; /* sign does not matter here */
    uint32_t usable_energy_mwh;
    uint32_t age_ms; /* since the BMS measured; over 5000 counts as unsafe */
} ota_battery_reading_t;
/* Fill *reading and return true, or return false when the BMS gives no data. */
typedef bool (*ota_battery_provider_t)(ota_battery_reading_t* reading, void* user_data);

typedef ota_health_t (*ota_health_probe_cb_t)(void* user_data);

/* ---- configuration ---- */

/* Switches: 0 (omitted or false) = the default, 1 (true) = on, OTA_OFF = off. An omitted or false
 * switch therefore never disables a signature or the rollback. */
#define OTA_OFF (-1)

/* A field that every request to the server of url carries, such as an API key. Visible ASCII. */
typedef struct {
    const char* name;
    const char* value;
} ota_http_header_t;

/* One HTTPS source at a time. Credentials are sent to the origin of url alone, also when it
 * redirects elsewhere; they never reach a log. */
typedef struct {
    const char* url;                  /* https://…, shorter than OTA_MANAGER_URI_SIZE */
    const char* cert_pem;             /* trusted certificates; NULL = the platform's store */
    const char* basic_auth_user;      /* NULL or up to 127 bytes, without a colon */
    const char* basic_auth_pass;      /* NULL or up to 127 bytes */
    const char* bearer_token;         /* instead of user and password, or NULL */
    const char* client_cert_pem;      /* mutual TLS: certificate and key, or both NULL */
    const char* client_key_pem;       /* not encrypted */
    const char* pinned_key_sha256;    /* base64 of the SHA-256 of the server's SubjectPublicKeyInfo,
                                         besides the certificate check; or NULL */
    const ota_http_header_t* headers; /* up to 8 more fields, or NULL */
    uint8_t header_count;
    uint32_t max_bytes_per_day; /* 0 = no limit; counted since the last restart */
} ota_https_config_t;

/* Jobs of AWS IoT for this thing; packages come by file streams over MQTT, or from pre-signed URLs.
 * They have to be signed. One AWS IoT source at a time. */
typedef struct {
    const char* endpoint;        /* host name, as `aws iot describe-endpoint` gives it */
    const char* thing_name;      /* also the MQTT client's id: 1…128 of a-z A-Z 0-9 : _ - */
    const char* root_ca_pem;     /* of endpoint and of the URLs; NULL = the platform's store */
    const char* device_cert_pem; /* mutual TLS */
    const char* device_key_pem;  /* not encrypted */
    uint16_t port;               /* default 8883; 443 offers ALPN x-amzn-mqtt-ca */
    bool shadow; /* settings by the named shadow "ota": its topics have to be in the thing's policy,
                    for AWS closes a connection that asks for others; docs/aws.md */
    const char* code_signing_key_pem; /* public key, ECDSA P-256 or RSA-3072; images have to carry
                                         its signature in the job's document besides their own. NULL
                                         = what is there is not looked at */
    bool json_streams;                /* blocks as JSON, a third longer; default CBOR */
} ota_aws_iot_config_t;

/* Where ota_manager_provision() keeps an identity. Values are stored. */
typedef enum {
    OTA_IDENTITY_CURRENT = 0,
    OTA_IDENTITY_PENDING, /* until AWS IoT has accepted it */
} ota_identity_place_t;

/* One name with its value for the provisioning template: a-z A-Z 0-9 : _ - up to 64; printable, no
 * " or \, up to 256. */
typedef struct {
    const char* name;
    const char* value;
} ota_provisioning_parameter_t;

/* AWS IoT fleet provisioning by a claim; docs/aws.md. The strings and functions stay the caller's.
 */
typedef struct {
    const char* endpoint; /* as in ota_aws_iot_config_t, like port and root_ca_pem */
    uint16_t port;
    const char* root_ca_pem;
    const char* claim_cert_pem; /* the same in every device; may do nothing but this */
    const char* claim_key_pem;
    const char* template_name; /* 1…36 of a-z A-Z 0-9 _ - */
    const char* serial_number; /* 1…64 of a-z A-Z 0-9 : _ -: the parameter SerialNumber, the name in
                                  the request, and the client's id meanwhile */
    const ota_provisioning_parameter_t* parameters; /* up to 8 more, or NULL */
    uint8_t parameter_count;
    uint32_t timeout_ms; /* default 120000 */
    /* Up to OTA_IDENTITY_SIZE bytes, a private key among them; in the caller's task. load: *size =
     * 0 where nothing was saved. save: durable when it returns ESP_OK, and all or nothing at a loss
     * of power as far as the medium can; size 0: forget them. */
    esp_err_t (*load)(ota_identity_place_t place, void* data, size_t capacity, size_t* size,
                      void* user_data);
    esp_err_t (*save)(ota_identity_place_t place, const void* data, size_t size, void* user_data);
    void (*idle)(void* user_data); /* often while it blocks: to feed a watchdog; or NULL */
    void* user_data;
} ota_provisioning_config_t;
#define OTA_IDENTITY_SIZE 3472

/* What a thing has to have: for ota_aws_iot_config_t and ota_log_cloudwatch_t. */
typedef struct {
    char thing_name[129];
    char certificate_pem[2049];
    char key_pem[257];
} ota_identity_t;

typedef enum {
    OTA_SERIAL_8E1 = 0, /* MODBUS over Serial Line's own */
    OTA_SERIAL_8N1,
    OTA_SERIAL_8N2,
} ota_serial_format_t;

/* The device as a Modbus server: on TCP, as RTU where serial_device names a line, or within a
 * server that the application has already. The registers are in docs/modbus-map.md. Packages have
 * to be signed. One Modbus source at a time. */
typedef struct {
    uint8_t unit_id;           /* 1…247, default 1 */
    uint16_t tcp_port;         /* default 502 */
    const char* serial_device; /* NULL = TCP. Linux: /dev/ttyS1; ESP-IDF: uart1, set up and wired by
                                  the application */
    uint32_t baud_rate;        /* 9600…1000000, default 19200 */
    ota_serial_format_t serial_format;
    uint16_t register_base; /* of the update block, 1…65000, default 8000 */
    bool shared; /* no port and no line of its own: requests come from the application's server, by
                    ota_manager_modbus_request() */
} ota_modbus_config_t;

/* The device as a UDS server (ISO 14229) over ISO-TP (ISO 15765-2); docs/can-profile.md. Packages
 * have to be signed. One CAN source at a time. Identifiers above 0x7FF are of 29 bits. */
typedef struct {
    uint32_t request_id;  /* from the tester; default 0x1CDA10F1 */
    uint32_t response_id; /* to it; default 0x1CDAF110 */
    uint32_t
        functional_id; /* to all; default 0x1CDB33F1 where request_id is the default, else none */
    const char* interface; /* Linux: can0, slcan:/dev/ttyACM0, udp:239.74.163.2; default can0.
                              ESP-IDF: twai:TX,RX with two GPIOs, no default */
    uint32_t bitrate;      /* default 500000 */
    bool fd;               /* CAN FD, where the controller has it */
    uint8_t bus_load;   /* most that a transfer may take of the bus, %: 1…100; default 30, and 80
                           while the battery is at rest */
    uint8_t block_size; /* frames to a flow control: 1…254, default 8; 255 = no limit */
} ota_canbus_config_t;

/* The boards of the battery modules, UDS servers on a CAN bus; docs/can-profile.md, "Module
 * boards". Packages name them by numbers from 1. Where CAN is a source too, it is the same bus. */
typedef struct {
    uint8_t count;               /* 1…12, default 12 */
    uint8_t first_address;       /* of board 1, the others follow; default 0x21 */
    const char* hardware;        /* what a board's hardware number (F191) begins with; NULL = any */
    uint32_t access_hmac_key_id; /* opens the boards: PSA key, HMAC, usage sign message,
                                    PSA_ALG_HMAC(PSA_ALG_SHA_256); 0 = none */
    uint8_t quorum;         /* of the boards of a package, so many have to hold it for the update to
                               succeed; default: all */
    int8_t stop_on_failure; /* after a board that was changed and failed no other is touched;
                               default on */
    const char* interface;  /* as in ota_canbus_config_t, like the rest */
    uint32_t bitrate;
    bool fd;
    uint8_t bus_load;
} ota_modules_config_t;

/* Mount point, directories and file name; the name may hold * and ?. Up to 240 characters. */
typedef struct {
    const char* filepath;
} ota_sd_card_config_t;

typedef struct {
    const char* filepath;
} ota_usb_drive_config_t;

typedef union {
    ota_https_config_t https;
    ota_aws_iot_config_t aws_iot;
    ota_modbus_config_t modbus;
    ota_canbus_config_t canbus;
    ota_sd_card_config_t sd_card;
    ota_usb_drive_config_t usb_drive;
} ota_source_config_t;

/* Copied by ota_manager_init(); the strings stay the caller's until ota_manager_deinit() returns.
 * Every numeric 0 means the default. */
typedef struct {
    ota_source_t source;
    ota_source_config_t config;      /* the member named like source */
    uint32_t check_interval_ms;      /* 0 = no periodic checks. Fleets spread by themselves: the
                                        first comes within a quarter of it, a minute at most, after
                                        the start, the second after a random part of it, then one
                                        each interval */
    int8_t automatic_update;         /* default off: check ends in UPDATE_AVAILABLE */
    int8_t verify_signature;         /* default on; OFF needs HTTPS and a build that allows it */
    const char* public_key_pem;      /* one to four PEM blocks, RSA-3072 or ECDSA P-256 */
    const char* revoked_keys_sha256; /* keys that are lost: up to six digests of 64 hexadecimal
                                        digits, separated by blanks (otactl inspect KEY.pub.pem);
                                        for good once this firmware is confirmed; or NULL */
    uint8_t
        signatures_required; /* distinct keys that have to sign a SUIT package: 1…3, default 1 */
    const char*
        suit_vendor_id; /* UUIDs that SUIT packages have to be for; NULL: none is accepted */
    const char* suit_class_id;
    const char* suit_device_id;       /* of this single device, or NULL */
    const char* suit_module_class_id; /* of the module boards behind it, or NULL */
    uint32_t payload_kek_id; /* of init … deinit: PSA key for encrypted payloads, 0 = none: AES-128,
                                usage decrypt, PSA_ALG_ECB_NO_PADDING; wrapped with A128KW */
    uint32_t payload_ecdh_key_id; /* or P-256, usage derive, key agreement ECDH with
                                     HKDF(SHA-256): ECDH-ES+A128KW; opaque keys do */
    const char* serial_number;    /* of this unit, for peers on field buses: up to 16 visible
                                     characters, or NULL */
    uint32_t access_hmac_key_id;  /* who may order something over a field bus: PSA key, HMAC, usage
                                     sign message, PSA_ALG_HMAC(PSA_ALG_SHA_256); 0 = none */
    const char* access_keys_pem;  /* and owners of ECDSA P-256 keys, PEM; or NULL. Without either
                                     anybody may; packages have to be signed all the same */
    int task_priority;            /* 1…24, default 5 */
    uint32_t task_stack_size;     /* bytes, 6144…65536, default 8192 */
    int core_id;                  /* 0 or 1, default 0 */
    int8_t allow_rollback;        /* default on */
    uint32_t rollback_timeout_ms; /* 1000…86400000, default 300000 */
    uint8_t min_soc;              /* %, 1…100, default 30 */
    float max_temperature;        /* °C, default 45 */
    float min_temperature;        /* °C, default 0 */
    float max_current;            /* A, default 10 */
    const char* expected_sha256;  /* 64 hexadecimal digits, or NULL */
    const char* expected_md5;     /* 32 hexadecimal digits, or NULL; never instead of a signature */
    uint32_t battery_capacity_wh; /* default 200000 */
    int8_t settings_packages;     /* default off: SUIT packages may bring settings, as the shadow of
                                     AWS IoT does; docs/package-format.md */
    ota_event_cb_t event_cb;
    void* event_cb_data;
    ota_progress_cb_t progress_cb;
    void* progress_cb_data;
} ota_manager_config_t;

/* ---- log ---- */

typedef enum {
    OTA_LOG_DEFAULT = 0, /* info */
    OTA_LOG_OFF,
    OTA_LOG_ERROR,
    OTA_LOG_WARNING,
    OTA_LOG_INFO,
    OTA_LOG_DEBUG,
} ota_log_level_t;

typedef enum {
    OTA_LOG_SINK_CONSOLE = 0,
    OTA_LOG_SINK_SD_CARD,
    OTA_LOG_SINK_CLOUDWATCH,
} ota_log_sink_t;

/* Files ota00001.log … in a directory of the card; the oldest make room. A card that is missing,
 * full or broken never holds up an update. */
typedef struct {
    const char* directory; /* below the mount point: "/sdcard/log"; NULL = no such log */
    ota_log_level_t level;
    uint32_t max_file_size; /* bytes, 4096…, default 262144 */
    uint16_t max_files;     /* 2…999, default 8 */
} ota_log_sd_card_t;

/* Amazon CloudWatch Logs. Credentials come from the credentials provider of AWS IoT, for the
 * device's certificate; docs/aws.md. Lines wait in RAM, with .sd_card on the card as well, until
 * they are taken. */
typedef struct {
    const char* endpoint;             /* logs.eu-central-1.amazonaws.com; NULL = no such log */
    const char* region;               /* eu-central-1 */
    const char* log_group;            /* up to 200 characters */
    const char* log_stream;           /* NULL = thing_name */
    const char* credentials_endpoint; /* as `aws iot describe-endpoint
                                         --endpoint-type iot:CredentialProvider` gives it */
    const char* role_alias;
    const char* thing_name;
    const char* root_ca_pem;     /* NULL = the platform's store */
    const char* device_cert_pem; /* mutual TLS with the credentials provider */
    const char* device_key_pem;
    ota_log_level_t level;
    const char* metrics_namespace; /* of what each attempt took, "BESS/OTA"; NULL = no metrics */
} ota_log_cloudwatch_t;

/* Copied; the strings stay the caller's until ota_manager_deinit() returns. */
typedef struct {
    ota_log_level_t console_level;
    ota_log_sd_card_t sd_card;
    ota_log_cloudwatch_t cloudwatch;
} ota_log_config_t;

/* The specification's, unless the build gives others (Kconfig). */
#ifndef OTA_MANAGER_DEFAULT_ROLLBACK_TIMEOUT_MS
#define OTA_MANAGER_DEFAULT_ROLLBACK_TIMEOUT_MS UINT32_C(300000)
#endif
#ifndef OTA_MANAGER_DEFAULT_MIN_SOC
#define OTA_MANAGER_DEFAULT_MIN_SOC 30
#endif
#ifndef OTA_MANAGER_DEFAULT_MAX_TEMPERATURE
#define OTA_MANAGER_DEFAULT_MAX_TEMPERATURE 45.0f
#endif
#ifndef OTA_MANAGER_DEFAULT_MIN_TEMPERATURE
#define OTA_MANAGER_DEFAULT_MIN_TEMPERATURE 0.0f
#endif
#ifndef OTA_MANAGER_DEFAULT_MAX_CURRENT
#define OTA_MANAGER_DEFAULT_MAX_CURRENT 10.0f
#endif
#ifndef OTA_MANAGER_DEFAULT_BATTERY_CAPACITY_WH
#define OTA_MANAGER_DEFAULT_BATTERY_CAPACITY_WH UINT32_C(200000)
#endif
#ifndef OTA_MANAGER_DEFAULT_TASK_PRIORITY
#define OTA_MANAGER_DEFAULT_TASK_PRIORITY 5
#endif
#ifndef OTA_MANAGER_DEFAULT_TASK_STACK_SIZE
#define OTA_MANAGER_DEFAULT_TASK_STACK_SIZE UINT32_C(8192)
#endif

/* All defaults spelled out; source and key are still to be set. */
#define OTA_MANAGER_CONFIG_DEFAULT()                                                               \
    {                                                                                              \
        .source = OTA_SOURCE_HTTPS,                                                                \
        .config = {.https = {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0}},         \
        .check_interval_ms = 0, .automatic_update = OTA_OFF, .verify_signature = 1,                \
        .public_key_pem = NULL, .revoked_keys_sha256 = NULL, .signatures_required = 1,             \
        .suit_vendor_id = NULL, .suit_class_id = NULL, .suit_device_id = NULL,                     \
        .suit_module_class_id = NULL, .payload_kek_id = 0, .payload_ecdh_key_id = 0,               \
        .serial_number = NULL, .access_hmac_key_id = 0, .access_keys_pem = NULL,                   \
        .task_priority = OTA_MANAGER_DEFAULT_TASK_PRIORITY,                                        \
        .task_stack_size = OTA_MANAGER_DEFAULT_TASK_STACK_SIZE, .core_id = 0, .allow_rollback = 1, \
        .rollback_timeout_ms = OTA_MANAGER_DEFAULT_ROLLBACK_TIMEOUT_MS,                            \
        .min_soc = OTA_MANAGER_DEFAULT_MIN_SOC,                                                    \
        .max_temperature = OTA_MANAGER_DEFAULT_MAX_TEMPERATURE,                                    \
        .min_temperature = OTA_MANAGER_DEFAULT_MIN_TEMPERATURE,                                    \
        .max_current = OTA_MANAGER_DEFAULT_MAX_CURRENT, .expected_sha256 = NULL,                   \
        .expected_md5 = NULL, .battery_capacity_wh = OTA_MANAGER_DEFAULT_BATTERY_CAPACITY_WH,      \
        .settings_packages = 0, .event_cb = NULL, .event_cb_data = NULL, .progress_cb = NULL,      \
        .progress_cb_data = NULL,                                                                  \
    }

/* ---- what can be asked ---- */

typedef struct {
    ota_error_t error;
    const char* detail; /* what was found and what to do; never NULL, static storage */
    int32_t reading;    /* with BATTERY_LOW and BMS_UNSAFE: the value: %, m°C, mA or ms */
    int32_t limit;      /* and its limit, same unit */
} ota_error_info_t;

typedef struct {
    char version[33];
    char running_version[33];
    uint32_t size;   /* bytes of the package; 0 = the source does not say */
    char notes[129]; /* what the publisher says about it; untrusted, for display only */
} ota_update_info_t;

typedef struct {
    bool trial;             /* the running image is not confirmed yet */
    uint8_t running_slot;   /* ota_n; 0xFE = factory */
    uint8_t boot_slot;      /* what otadata names; 0xFF = nothing */
    uint32_t running_state; /* esp_ota_img_states_t of the running slot */
    bool paused;            /* the safety gate holds an update */
} ota_boot_status_t;

/* The latest attempt, from any source: one that was started, not a mere check. */
typedef struct {
    ota_outcome_t outcome;
    ota_source_t source;
    ota_status_t phase; /* the state in which it ended */
    ota_error_t error;  /* with FAILED */
    const char* detail; /* what was found and what to do; never NULL, static storage */
    int32_t reading;    /* with BATTERY_LOW and BMS_UNSAFE, as in ota_error_info_t */
    int32_t limit;
    ota_reset_t reset;       /* with INTERRUPTED and REVERTED: the reset behind it */
    char version[33];        /* of the package; "" if none was found, or
                                 none that can be trusted to say */
    uint32_t received;       /* bytes that came from the source */
    uint32_t resumed_at;     /* bytes that flash held already */
    uint16_t retries;        /* of the connection */
    uint16_t pauses;         /* by the safety gate */
    uint32_t paused_ms;      /* in all */
    uint32_t duration_ms;    /* until the restart or the failure, pauses included */
    uint32_t count;          /* attempts since the record before; attempts that change no flash are
                                recorded once an hour */
    uint8_t component_count; /* of a SUIT package; 0 with a plain image */
    ota_component_result_t components[OTA_MAX_COMPONENTS];
} ota_attempt_t;

/* The configuration that belongs to the running image. */
typedef struct {
    uint32_t size; /* bytes */
    uint8_t sha256[32];
} ota_configuration_t;

/* How the latest update ended, and the latest attempt. Kept over restarts; power lost while an
 * attempt ends loses what it counted, not that it was. */
typedef struct {
    bool ended; /* false: none was tried, or it is still under way */
    bool confirmed;
    ota_revert_reason_t revert_reason;
    char version[33];
    char probe[25]; /* the failing probe with OTA_REVERT_UNHEALTHY */
    ota_attempt_t attempt;
} ota_report_t;

#ifdef __cplusplus
}
#endif
