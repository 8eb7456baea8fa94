// One short request and its answer, held whole.
#pragma once

#include <optional>

#include "base/fixed.hpp"
#include "base/secret_text.hpp"
#include "ports/http_client.hpp"

namespace ota {

// Context of the log's task.
class HttpExchange final : public HttpHeadSink {
  public:
    static constexpr size_t kMaxAnswer = 3072;  // credentials of AWS take 1.2 KB
    static constexpr Millis kTimeout = 30000;

    HttpExchange(HttpClient& client, Clock& clock) : client_(client), clock_(clock) {}

    Status start(const HttpRequest& request);
    // kTryAgain: it is under way. ok: the answer is there, whatever its status. What was longer
    // than kMaxAnswer is cut. kTimeout, or a failure of HttpClient: there is none.
    Status step();
    void close();

    uint16_t status() const { return status_; }
    std::string_view answer() const { return answer_.view(); }
    // What the server believes the time is.
    std::optional<UnixTime> date() const { return date_; }

    void on_status(uint16_t status) override { status_ = status; }
    void on_field(std::string_view name, std::string_view value) override;
    void set_status(uint16_t status) override { status_ = status; }

  private:
    Status read();

    HttpClient& client_;
    Clock& clock_;
    Millis started_ = 0;
    bool has_head_ = false;
    uint16_t status_ = 0;
    std::optional<UnixTime> date_;
    SecretText<kMaxAnswer> answer_;
};

}  // namespace ota
