#include "http_model.hpp"

#include <algorithm>

namespace idf_model {
HttpModel http;
}

using idf_model::http;

struct esp_http_client {
    esp_http_client_config_t config;
    idf_model::HttpAnswerOfModel answer;
    size_t head = 0;
    int status = -1;
    size_t position = 0;
    bool told_trailers = false;

    void tell(const idf_model::HttpFields& fields) {
        for (const auto& [name, value] : fields) {
            std::string key = name;
            std::string text = value;
            esp_http_client_event_t event{HTTP_EVENT_ON_HEADER, config.user_data, key.data(),
                                          text.data()};
            (void)config.event_handler(&event);
        }
    }
};

extern "C" {

esp_http_client_handle_t esp_http_client_init(const esp_http_client_config_t* config) {
    ++http.clients;
    http.request.clear();
    http.body.clear();
    http.method = config->method;
    return new esp_http_client{*config, {}, 0, -1, 0, false};
}

esp_err_t esp_http_client_cleanup(esp_http_client_handle_t client) {
    --http.clients;
    delete client;
    return ESP_OK;
}

esp_err_t esp_http_client_set_header(esp_http_client_handle_t, const char* key, const char* value) {
    http.request.emplace_back(key, value);
    return ESP_OK;
}

esp_err_t esp_http_client_open(esp_http_client_handle_t client, int write_len) {
    http.announced = write_len;
    if (http.answers.empty()) return ESP_FAIL;
    client->answer = http.answers.front();
    http.answers.pop_front();
    return client->answer.opened;
}

esp_err_t esp_http_client_get_and_clear_last_tls_error(esp_http_client_handle_t client, int* code,
                                                       int* flags) {
    *code = client->answer.tls_code;
    *flags = client->answer.flags;
    return client->answer.opened;
}

esp_err_t esp_http_client_set_timeout_ms(esp_http_client_handle_t, int) {
    return ESP_OK;
}

int esp_http_client_write(esp_http_client_handle_t, const char* buffer, int len) {
    http.body.append(buffer, static_cast<size_t>(len));
    return len;
}

int64_t esp_http_client_fetch_headers(esp_http_client_handle_t client) {
    if (client->head == client->answer.heads.size()) return -ESP_ERR_HTTP_EAGAIN;
    const idf_model::HttpHeadOfModel& head = client->answer.heads[client->head++];
    client->status = head.status;
    if (head.breaks_off) return ESP_FAIL;
    client->tell(head.fields);
    return static_cast<int64_t>(client->answer.body.size());
}

int esp_http_client_get_status_code(esp_http_client_handle_t client) {
    return client->status;
}

int esp_http_client_read(esp_http_client_handle_t client, char* buffer, int len) {
    http.largest_read = std::max(http.largest_read, len);
    const std::vector<uint8_t>& body = client->answer.body;
    const size_t end = std::min(body.size(), client->answer.lost_after);
    const size_t n = std::min(end - client->position, static_cast<size_t>(len));
    std::copy_n(body.begin() + static_cast<long>(client->position), n, buffer);
    client->position += n;
    if (n != 0 || len == 0) return static_cast<int>(n);
    if (!client->told_trailers) client->tell(client->answer.trailers);
    client->told_trailers = true;
    return end < body.size() ? -1 : 0;
}

bool esp_http_client_is_complete_data_received(esp_http_client_handle_t client) {
    return client->position == client->answer.body.size();
}

esp_err_t esp_crt_bundle_attach(void*) {
    return ESP_OK;
}
}
