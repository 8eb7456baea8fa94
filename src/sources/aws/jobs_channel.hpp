// The next job of AWS IoT as a candidate, and what became of it as its execution's status
// (developer guide, "Jobs device MQTT API").
#pragma once

#include "ports/update_record.hpp"
#include "sources/aws/aws_link.hpp"
#include "sources/aws/job_message.hpp"
#include "sources/aws/settings_shadow.hpp"
#include "sources/aws/stream_source.hpp"
#include "wire/json_writer.hpp"

namespace ota {

// Engine context. What is decided here is decided by local facts: the journal says which job an
// image belongs to and how it ended; the cloud is told afterwards, until it has answered.
class JobsChannel final : public Channel {
  public:
    JobsChannel(AwsLink& link, StreamSource& stream, SettingsShadow& shadow, UpdateLog& log,
                Clock& clock)
        : link_(link), stream_(stream), shadow_(shadow), log_(log), clock_(clock) {}

    Result<bool> poll(Offer& offer) override;
    void rewind() override;
    bool arrived() override;
    bool serve() override;
    void refused(Status why) override;
    void report(const Report& report) override;

    // Takes what has come, and asks or tells what is due. Often, also while a package is read.
    void step();
    // Of the job that was offered.
    const JobDocument& document() const { return document_; }
    // The document once more: its URL is a fresh one each time. Of another job: is_gone().
    void ask_document();
    bool has_document() const { return !wants_document_; }
    // Its package is being fetched; percent of it: 0, 25, 50, 75.
    void begin_fetch(uint8_t percent);
    // The cloud took the job back.
    bool is_gone() const { return is_gone_; }

  private:
    enum class Asked : uint8_t { kNothing, kNext, kUpdate };

    void connected();
    void ask_next();
    void take(const MqttMessage& message);
    void take_next(const JobMessage& message);
    void take_update(const JobMessage& message, bool accepted);
    void take_head(const JobMessage& message);
    void look_at_queue(const JobMessage& message);
    void settle_at_start();
    void given_up(RevertReason reason);
    void owe(JobRecord::End end, std::string_view reason);
    void tell_owed();
    void tell_stage(std::string_view stage, std::string_view detail);
    void send_update(std::string_view status, const char* name, std::string_view value);
    // Closes body and sends it to suffix_.
    void send(JsonWriter& body);
    bool is_known(const JobExecution& job) const;
    bool is_to_do(const JobExecution& job) const;
    bool is_silent() const;

    AwsLink& link_;
    StreamSource& stream_;
    SettingsShadow& shadow_;
    UpdateLog& log_;
    Clock& clock_;
    JobDocument document_;
    JobExecution job_;      // the head of the queue, as it was last seen; id empty: none
    uint64_t version_ = 0;  // of the state of the job in the record; 0: not known

    // Of the request that is made; here, and not on the stack.
    FixedString<kMaxJobId + 16> suffix_;
    FixedString<480> body_;

    Asked asked_ = Asked::kNothing;
    Millis asked_at_ = 0;
    Millis wait_ = 0;
    Backoff backoff_{10000, 640000};
    uint32_t connection_ = 0;  // that was seen last
    uint32_t number_ = 0;      // of the latest request
    FixedString<12> token_;

    bool has_next_ = false;  // the cloud has said what is next, in this round
    bool offered_ = false;   // in this round
    bool is_new_ = false;    // a job that is worth a check has come
    bool is_in_round_ = false;
    bool wants_document_ = false;  // of the job in hand, once more
    bool is_settled_ = false;
    bool is_gone_ = false;
    bool is_fetched_ = false;  // the cloud knows that it is under way
    static constexpr uint8_t kNothingTold = 0xFF;
    uint8_t told_percent_ = kNothingTold;
    Millis told_at_ = 0;      // something about the stage
    uint8_t mismatches_ = 0;  // of the version, in a row
    Millis round_since_ = 0;
    Millis again_at_ = 0;  // it is worth another look then; 0: not
};

}  // namespace ota
