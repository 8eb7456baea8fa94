// An HTTP server on 127.0.0.1 that gives the answers it was told, one for each connection. It runs
// in a thread of its own that makes no call into FreeRTOS.
#pragma once

#include <pthread.h>

#include <deque>
#include <string>

#include "contracts/http_client.hpp"

class PlainServer final : public ota::contract::AnswerQueue {
  public:
    PlainServer();
    ~PlainServer();
    void push(const test::HttpAnswer& answer) override;
    std::string seen_body() override;
    std::string url() const;

  private:
    static void* serve(void* self);
    bool take(const std::string& request, std::string& answer);

    int listener_ = -1;
    uint16_t port_ = 0;
    pthread_t thread_{};
    pthread_mutex_t lock_ = PTHREAD_MUTEX_INITIALIZER;
    std::deque<std::string> answers_;
    std::string request_;  // the latest
};
