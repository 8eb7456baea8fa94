#include "sources/aws/job_message.hpp"

#include "base/hex.hpp"

namespace ota {
namespace {

constexpr Status kUnfit{Code::kIncompatible, Origin::kSource, Detail::kJobDocument};

// Of a member that may be missing, or of another type than it should be.
template <size_t N>
Status text_member(JsonReader& in, FixedString<N>& out) {
    OTA_TRY_ASSIGN(const JsonToken token, in.next());
    if (token != JsonToken::kText) {
        OTA_TRY(in.pass(token));
        return kUnfit;
    }
    const Status taken = in.take_text(out);
    return taken.is(Code::kNoSpace) ? kUnfit : taken;
}

// Of jobs and streams; they become parts of topics.
bool is_name(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '_' || c == '-';
    });
}

Status number_member(JsonReader& in, uint64_t& out) {
    OTA_TRY_ASSIGN(const JsonToken token, in.next());
    const Status taken = in.take_number(token, out);
    return taken.is(Code::kOutOfRange) ? kUnfit : taken;
}

Status pass_member(JsonReader& in) {
    OTA_TRY_ASSIGN(const JsonToken token, in.next());
    return in.pass(token);
}

// A finding about the document does not end the reading of the message around it.
Status note(Status status, Status& finding) {
    if (status.detail() != Detail::kJobDocument) return status;
    if (finding.ok()) finding = status;
    return {};
}

// ---------------------------------------------------------------- documents

class DocumentReader {
  public:
    DocumentReader(JsonReader& in, JobDocument& out) : in_(in), out_(out) {}

    // Behind the token of its object. What it finds is told by finding().
    Status read() {
        out_.clear();
        OTA_TRY(each_member(in_, [&](std::string_view name) -> Status {
            if (name == "afr_ota") return object([&](auto member) { return afr_member(member); });
            return own_member(name);
        }));
        const bool has_place = !out_.stream.empty() || !out_.url.empty();
        const bool is_nameable = out_.stream.empty() || is_name(out_.stream.view());
        if (!(is_own_ || is_afr_) || !has_place || !is_nameable) return note(kUnfit, finding_);
        return {};
    }
    Status finding() const { return finding_; }

  private:
    template <typename Visit>
    Status object(Visit visit) {
        OTA_TRY_ASSIGN(const JsonToken token, in_.next());
        if (token != JsonToken::kObjectBegin) {
            OTA_TRY(in_.pass(token));
            return note(kUnfit, finding_);
        }
        return each_member(in_, visit);
    }

    // {"bess_ota":1,"url":…,"stream":{"id","fileId"},"size":n,"sha256":hex,"sig-sha256-ecdsa":…}
    Status own_member(std::string_view name) {
        if (name == "bess_ota") {
            uint64_t format = 0;
            OTA_TRY(note(number_member(in_, format), finding_));
            is_own_ = format == 1;
            return {};
        }
        if (name == "url") return note(text_member(in_, out_.url), finding_);
        if (name == "size") return note(number_member(in_, out_.size), finding_);
        if (name == "sha256") return digest();
        if (is_signature(name)) return signature();
        if (name == "stream") return object([&](auto member) { return stream_member(member); });
        return pass_member(in_);
    }
    Status stream_member(std::string_view name) {
        if (name == "id") return note(text_member(in_, out_.stream), finding_);
        if (name == "fileId") return file_id();
        return pass_member(in_);
    }
    static bool is_signature(std::string_view name) {
        return name == "sig-sha256-ecdsa" || name == "sig-sha256-rsa";
    }
    // One that is too long is of a key that is not known here, and as good as none. Of two it can't
    // be told which one counts.
    Status signature() {
        if (has_signature_) {
            OTA_TRY(pass_member(in_));
            return note(kUnfit, finding_);
        }
        has_signature_ = true;
        const Status taken = text_member(in_, out_.signature);
        if (taken.ok() || taken.detail() != Detail::kJobDocument) return taken;
        out_.signature.clear();
        return {};
    }
    Status digest() {
        FixedString<64> digits;
        OTA_TRY(note(text_member(in_, digits), finding_));
        Digest digest;
        if (!parse_hex(digits.view(), digest)) return note(kUnfit, finding_);
        out_.sha256 = digest;
        return {};
    }
    Status file_id() {
        uint64_t id = 0;
        OTA_TRY(note(number_member(in_, id), finding_));
        if (id > 255) return note(kUnfit, finding_);
        out_.file = static_cast<uint8_t>(id);
        return {};
    }

    // {"afr_ota":{"protocols":[…],"streamname":…,"files":[{…}]}}
    Status afr_member(std::string_view name) {
        is_afr_ = true;
        if (name == "streamname") return note(text_member(in_, out_.stream), finding_);
        if (name != "files") return pass_member(in_);
        OTA_TRY_ASSIGN(const JsonToken begin, in_.next());
        if (begin != JsonToken::kArrayBegin) {
            OTA_TRY(in_.pass(begin));
            return note(kUnfit, finding_);
        }
        for (size_t files = 0;; ++files) {
            OTA_TRY_ASSIGN(const JsonToken token, in_.next());
            if (token == JsonToken::kArrayEnd) return {};
            if (token != JsonToken::kObjectBegin || files != 0) {
                OTA_TRY(note(kUnfit, finding_));
                OTA_TRY(in_.pass(token));
                continue;
            }
            OTA_TRY(each_member(in_, [&](std::string_view member) { return file_member(member); }));
        }
    }
    // filepath and certfile are names on the device that we do not use, and never open.
    Status file_member(std::string_view name) {
        if (name == "filesize") return note(number_member(in_, out_.size), finding_);
        if (name == "fileid") return file_id();
        if (is_signature(name)) return signature();
        if (name == "update_data_url") return note(text_member(in_, out_.url), finding_);
        return pass_member(in_);
    }

    JsonReader& in_;
    JobDocument& out_;
    Status finding_;
    bool is_own_ = false;
    bool is_afr_ = false;
    bool has_signature_ = false;
};

// As an object, or as a text that holds one.
Status read_document(JsonReader& in, JobExecution& execution, JobDocument& document) {
    OTA_TRY_ASSIGN(const JsonToken token, in.next());
    if (token == JsonToken::kObjectBegin) {
        DocumentReader reader(in, document);
        OTA_TRY(reader.read());
        execution.document = reader.finding();
        return {};
    }
    if (token != JsonToken::kText) {
        execution.document = kUnfit;
        return in.pass(token);
    }
    JsonReader inner;
    OTA_TRY(in.take_document(inner));
    const Result<JsonToken> first = inner.next();
    DocumentReader reader(inner, document);
    const bool is_object = first.ok() && *first == JsonToken::kObjectBegin;
    // That the inner document is broken says nothing about the message.
    const Status read = is_object ? reader.read() : kUnfit;
    const bool is_whole = read.ok() && inner.next().ok();
    execution.document = is_whole ? reader.finding() : kUnfit;
    return {};
}

// ---------------------------------------------------------------- messages

JobStatus status_of(std::string_view text) {
    if (text == "QUEUED") return JobStatus::kQueued;
    if (text == "IN_PROGRESS") return JobStatus::kInProgress;
    for (const char* over :
         {"SUCCEEDED", "FAILED", "REJECTED", "TIMED_OUT", "REMOVED", "CANCELED"}) {
        if (text == over) return JobStatus::kOver;
    }
    return JobStatus::kUnknown;
}

// What is of another type than it should be is as good as missing.
Status lenient(Status status) {
    return status.detail() == Detail::kJobDocument ? kOkStatus : status;
}

Status read_status(JsonReader& in, JobStatus& out) {
    FixedString<16> text;
    OTA_TRY(lenient(text_member(in, text)));
    out = status_of(text.view());
    return {};
}

Status read_execution(JsonReader& in, JobMessage& out, JobDocument* document) {
    OTA_TRY_ASSIGN(const JsonToken token, in.next());
    if (token != JsonToken::kObjectBegin) return in.pass(token);
    JobExecution& execution = out.execution.emplace();
    OTA_TRY(each_member(in, [&](std::string_view name) -> Status {
        if (name == "jobId") {
            const Status taken = text_member(in, execution.id);
            if (!taken.ok()) execution.id.clear();  // too long: another one's
            return lenient(taken);
        }
        if (name == "status") return read_status(in, execution.status);
        if (name == "versionNumber") return lenient(number_member(in, execution.version));
        if (name == "executionNumber") return lenient(number_member(in, execution.execution));
        if (name == "jobDocument" && document != nullptr) {
            return read_document(in, execution, *document);
        }
        return pass_member(in);
    }));
    if (!is_name(execution.id.view())) out.execution.reset();
    return {};
}

Status read_state(JsonReader& in, JobMessage& out) {
    OTA_TRY_ASSIGN(const JsonToken token, in.next());
    if (token != JsonToken::kObjectBegin) return in.pass(token);
    return each_member(in, [&](std::string_view name) -> Status {
        if (name == "status") return read_status(in, out.state);
        if (name == "versionNumber") return lenient(number_member(in, out.state_version));
        return pass_member(in);
    });
}

}  // namespace

Status parse_job_message(Bytes payload, JobMessage& out, JobDocument* document) {
    out = JobMessage();
    JsonReader in(std::string_view(reinterpret_cast<const char*>(payload.data()), payload.size()));
    OTA_TRY_ASSIGN(const JsonToken first, in.next());
    if (first != JsonToken::kObjectBegin) {
        return {Code::kMalformed, Origin::kSource, Detail::kJsonForm};
    }
    OTA_TRY(each_member(in, [&](std::string_view name) -> Status {
        if (name == "execution") return read_execution(in, out, document);
        if (name == "executionState") return read_state(in, out);
        if (name == "clientToken") return lenient(text_member(in, out.token));
        if (name == "code") return lenient(text_member(in, out.code));
        return pass_member(in);
    }));
    return in.next().status();
}

}  // namespace ota
