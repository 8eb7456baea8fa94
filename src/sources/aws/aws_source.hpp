// The package of a job: out of a stream, or from a pre-signed URL.
#pragma once

#include "sources/aws/jobs_channel.hpp"
#include "sources/https/https_source.hpp"

namespace ota {

// web: for URLs; without credentials, for the URL is one. Engine context.
class AwsSource final : public Source {
  public:
    AwsSource(JobsChannel& jobs, StreamSource& stream, HttpsSource* web)
        : jobs_(jobs), stream_(stream), web_(web) {}

    Status start(const Fetch& fetch) override;
    Result<size_t> read(MutableBytes out) override;
    Status info(SourceInfo& out) override;
    Millis retry_after() override { return is_web() ? web_->retry_after() : 0; }
    void close() override;

  private:
    bool is_web() const { return web_ != nullptr && !jobs_.document().url.empty(); }
    void tell_progress();
    Status start_web();
    Status renew_or(Status status);
    Status is_same_file();

    JobsChannel& jobs_;
    StreamSource& stream_;
    HttpsSource* web_;
    Fetch fetch_;  // by URL
    uint64_t position_ = 0;
    bool is_look_ = false;
    std::optional<Digest> identity_;  // of the file behind the URL
    bool compares_ = false;           // the new URL has to lead to the same
    bool renews_ = false;             // a new URL is waited for
    uint8_t renewals_ = 0;            // since the last byte
};

// What a thing takes, together.
struct AwsPair {
    AwsPair(MqttClient& client, HttpsSource* web, Clock& clock, const TimeFloor& floor,
            UpdateLog& log, SettingsHost& settings, const AwsLink::Config& config)
        : link(client, clock, floor, config),
          stream(link, clock, stream_codec(config.streams)),
          shadow(link, clock, settings, config.shadow),
          channel(link, stream, shadow, log, clock),
          source(channel, stream, web) {}
    ~AwsPair() { link.close(); }
    AwsPair(const AwsPair&) = delete;
    AwsPair& operator=(const AwsPair&) = delete;

    AwsLink link;
    StreamSource stream;
    SettingsShadow shadow;
    JobsChannel channel;
    AwsSource source;
};

}  // namespace ota
