// What the model of esp_http_client answers, and what it was asked.
#pragma once

#include <esp_http_client.h>

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace idf_model {

using HttpFields = std::vector<std::pair<std::string, std::string>>;

struct HttpHeadOfModel {
    int status = 200;
    HttpFields fields;
    bool breaks_off = false;  // the connection, in the middle of it; ESP-IDF 6 tells the status
};

struct HttpAnswerOfModel {
    esp_err_t opened = ESP_OK;
    int tls_code = 0;  // what mbedTLS said of a handshake that failed
    int flags = 0;
    std::vector<HttpHeadOfModel> heads = {HttpHeadOfModel()};  // interim ones first
    std::vector<uint8_t> body;
    size_t lost_after = SIZE_MAX;  // bytes of the body
    HttpFields trailers;
};

struct HttpModel {
    std::deque<HttpAnswerOfModel> answers;  // one for each connection
    HttpFields request;                     // fields of the latest
    std::string body;                       // of the latest
    int announced = 0;                      // its length
    esp_http_client_method_t method = HTTP_METHOD_GET;
    int largest_read = 0;  // that was asked for
    int clients = 0;       // made and not cleaned up
};
extern HttpModel http;

}  // namespace idf_model
