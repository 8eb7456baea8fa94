#pragma once

#include "ports/source.hpp"
#include "sources/https/credentials.hpp"
#include "sources/https/data_budget.hpp"
#include "wire/http_head.hpp"

namespace ota {

// Reads one package from an HTTPS server by ranges.
//
// Redirects are followed here (RFC 9110 15.4): at most ten, never away from https; credentials, the
// client certificate and the pin belong to the origin of the configured URL and never cross to
// another. A server without ranges answers with the whole package; what was read already is then
// skipped, not written again.
class HttpsSource final : public Source {
  public:
    struct Config {
        HttpCredentials credentials;
        HttpTls tls;
        uint64_t max_bytes_per_day = 0;  // 0 = no limit
        // The configured URL: where the credentials belong. Empty: that of the first own fetch.
        std::string_view home;
    };
    // config's texts stay the caller's.
    HttpsSource(HttpClient& client, Clock& clock, const TimeFloor& floor, const Config& config)
        : client_(client),
          clock_(clock),
          floor_(floor),
          config_(config),
          budget_(config.max_bytes_per_day),
          home_url_(config.home) {}

    Status start(const Fetch& fetch) override;
    Result<size_t> read(MutableBytes out) override;
    Status info(SourceInfo& out) override;
    Millis retry_after() override { return retry_after_; }
    void close() override;

  private:
    enum class Phase : uint8_t { kClosed, kHead, kBody };
    static constexpr size_t kMaxFields = 6 + kMaxCustomFields;
    using Fields = FixedVector<HttpField, kMaxFields>;

    Status open_location(std::string_view uri, bool foreign);
    void choose_known(std::span<const Validator> known);
    bool is_own_origin() const;
    void add_credentials(Fields& fields) const;
    Status send();

    Status advance();
    Status judge_head();
    Status follow_redirect();
    Status take_whole();
    Status take_range();
    Status refuse();
    Millis wanted_pause() const;
    void describe_validator();
    Status describe();
    Status clock_or(Status status) const;

    Result<size_t> read_on(MutableBytes out);
    Result<size_t> skip(MutableBytes bytes);
    Status at_end() const;

    HttpClient& client_;
    Clock& clock_;
    const TimeFloor& floor_;
    const Config config_;
    DataBudget budget_;

    Phase phase_ = Phase::kClosed;
    std::string_view own_url_;   // that was asked for
    std::string_view home_url_;  // the configured one, where the credentials belong
    UriText url_;                // of the request under way
    BasicToken basic_;
    HttpHead head_;
    uint8_t redirects_ = 0;
    Millis retry_after_ = 0;

    uint64_t offset_ = 0;     // wanted
    uint64_t length_ = 0;     // wanted; kToEnd
    uint64_t body_left_ = 0;  // bytes that the server still owes; kUnknownLength
    uint64_t skip_ = 0;       // bytes of the body that were read before
    uint64_t skipped_ = 0;    // of them, since the last sign of life was given
    uint64_t delivered_ = 0;  // bytes passed on since start
    std::array<uint8_t, 8> place_{};
    FixedString<148> known_;   // entity tags for If-None-Match
    FixedString<72> current_;  // of the package in hand, for If-Range
    SourceInfo info_;
};

}  // namespace ota
