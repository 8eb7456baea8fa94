// What AWS IoT Jobs says to a device: executions, answers, and the documents of jobs
// (developer guide, "Jobs device MQTT API"; CreateOTAUpdate's afr_ota; our own bess_ota).
#pragma once

#include <optional>

#include "ports/source.hpp"
#include "wire/json.hpp"
#include "wire/uri.hpp"

namespace ota {

enum class JobStatus : uint8_t { kUnknown, kQueued, kInProgress, kOver };

// Limits: botocore, iot-jobs-data 2017-09-29 and iot 2015-05-28.
inline constexpr size_t kMaxJobId = 64;
inline constexpr size_t kMaxStreamId = 128;
inline constexpr size_t kMaxJobDocument = 32768;
using JobId = FixedString<kMaxJobId>;

// Which bytes a job wants installed, and where they are: a stream, a URL, or either.
struct JobDocument {
    FixedString<kMaxStreamId> stream;
    uint8_t file = 0;  // of the stream
    UriText url;
    uint64_t size = 0;             // 0 = not said
    std::optional<Digest> sha256;  // of the package
    FixedString<512> signature;  // base64, of an RSA-3072 key at most; empty: none, or another kind

    // In place: a fresh one would take its size of the stack.
    void clear() {
        stream.clear();
        url.clear();
        file = 0;
        size = 0;
        sha256.reset();
        signature.clear();
    }
};

struct JobExecution {
    JobId id;
    JobStatus status = JobStatus::kUnknown;
    uint64_t version = 0;    // of its state
    uint64_t execution = 0;  // which try of this job it is
    // Of the document; kTryAgain: the message brought none.
    Status document{Code::kTryAgain, Origin::kSource};
};

// notify-next, or an answer.
struct JobMessage {
    std::optional<JobExecution> execution;  // none: nothing is queued
    FixedString<64> token;                  // of the request; empty: not an answer
    FixedString<32> code;                   // why it was rejected; empty: it was not
    // With VersionMismatch and InvalidStateTransition.
    JobStatus state = JobStatus::kUnknown;
    uint64_t state_version = 0;
};

// document: where its document goes; null: it is passed by. kMalformed / kJsonForm: the message
// says nothing. That its document is of no use is told by execution->document: kMalformed /
// kJsonForm, kIncompatible / kJobDocument: another kind, several files, or longer than what is
// held.
Status parse_job_message(Bytes payload, JobMessage& out, JobDocument* document);

}  // namespace ota
