// An HTTP server and the way to it, in memory: answers as RFC 9110 says, unless a test scripts
// other answers.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ports/http_client.hpp"
#include "support/image_factory.hpp"

namespace test {

struct HttpAnswer {
    uint16_t status = 200;
    std::vector<std::pair<std::string, std::string>> fields;
    Buffer body;
    bool announce_length = true;
    std::optional<size_t> lost_after;  // bytes of the body before the connection breaks
    bool silent_end = false;           // … which looks like its end
    ota::Status failure;               // instead of any answer
};

struct SeenRequest {
    std::string url;
    std::vector<std::pair<std::string, std::string>> fields;
    bool client_certificate = false;
    bool pinned = false;
    ota::UnixTime judged_at = 0;
    std::string body;  // not empty: a POST

    // The value of the first field with this name, "" when there is none.
    std::string field(const std::string& name) const {
        for (const auto& [key, value] : fields) {
            if (key == name) return value;
        }
        return {};
    }
};

class FakeHttpClient : public ota::HttpClient {
  public:
    // ---- the server
    Buffer file;
    std::string tag = "\"v1\"";
    std::string modified = "Wed, 01 Jan 2025 00:00:00 GMT";
    bool has_ranges = true;
    bool announces_length = true;
    std::string notes;
    std::vector<HttpAnswer> script;  // used up first, one for each request

    // ---- the way to it
    size_t chunk = 4096;
    bool reuses_connection = false;
    uint32_t idle_reads = 0;                // "nothing yet" before the head and before each chunk
    std::optional<size_t> lose_each_after;  // every connection breaks after so many body bytes

    // Every n-th read of a body goes wrong; 0 = none.
    enum class Wrong : uint8_t { kFailure, kNothing, kShort };
    uint32_t wrong_every = 0;
    Wrong wrong = Wrong::kFailure;

    // ---- seen
    std::vector<SeenRequest> requests;
    uint64_t body_bytes = 0;
    bool open = false;

    ota::Status start(const ota::HttpRequest& request, ota::HttpHeadSink& head) override {
        SeenRequest seen;
        seen.url = request.url;
        for (const ota::HttpField& field : request.fields) {
            seen.fields.emplace_back(std::string(field.name),
                                     std::string(field.prefix) + std::string(field.value));
        }
        seen.client_certificate = request.tls.client_cert_pem != nullptr;
        seen.pinned = request.tls.pinned_key_sha256 != nullptr;
        seen.judged_at = request.tls.judged_at;
        for (const ota::Bytes piece : request.body) {
            seen.body.append(piece.begin(), piece.end());
        }
        requests.push_back(seen);
        if (script.empty()) {
            answer_ = serve(seen);
        } else {
            answer_ = script.front();
            script.erase(script.begin());
        }
        if (lose_each_after && !answer_.lost_after) answer_.lost_after = lose_each_after;
        head_ = &head;
        head_sent_ = false;
        sent_ = 0;
        idle_left_ = idle_reads;
        open = true;
        return {};
    }

    ota::Status await_head() override {
        if (idle_left_ != 0) {
            --idle_left_;
            return {ota::Code::kTryAgain, ota::Origin::kSource};
        }
        if (!answer_.failure.ok()) return answer_.failure;
        if (head_sent_) return {};
        head_sent_ = true;
        head_->on_status(answer_.status);
        for (const auto& [name, value] : answer_.fields) head_->on_field(name, value);
        if (answer_.announce_length) {
            head_->on_field("Content-Length", std::to_string(answer_.body.size()));
        }
        return {};
    }

    ota::UnixTime proven_at() override { return reuses_connection ? 0 : requests.back().judged_at; }

    ota::Result<size_t> read(ota::MutableBytes out) override {
        if (idle_left_ != 0) {
            --idle_left_;
            return size_t{0};
        }
        idle_left_ = idle_reads;
        const size_t end = std::min(answer_.body.size(), answer_.lost_after.value_or(SIZE_MAX));
        if (sent_ == end) {
            const bool lost = end < answer_.body.size() && !answer_.silent_end;
            return lost ? ota::Status{ota::Code::kUnavailable, ota::Origin::kSource,
                                      ota::Detail::kConnectionLost}
                        : ota::Status{ota::Code::kEndOfData, ota::Origin::kSource};
        }
        size_t n = std::min({out.size(), chunk, end - sent_});
        if (wrong_every != 0 && ++reads_ % wrong_every == 0) {
            if (wrong == Wrong::kNothing) return size_t{0};
            if (wrong == Wrong::kFailure) {
                return ota::Status{ota::Code::kUnavailable, ota::Origin::kSource,
                                   ota::Detail::kConnectionLost};
            }
            n = 1;
        }
        std::copy_n(answer_.body.begin() + static_cast<std::ptrdiff_t>(sent_), n, out.begin());
        sent_ += n;
        body_bytes += n;
        return n;
    }

    void close() override { open = false; }
    size_t body_left() const { return answer_.body.size() - sent_; }

  private:
    HttpAnswer serve(const SeenRequest& request) const {
        HttpAnswer answer;
        answer.announce_length = announces_length;
        if (!tag.empty()) answer.fields.emplace_back("ETag", tag);
        if (!modified.empty()) answer.fields.emplace_back("Last-Modified", modified);
        if (!notes.empty()) answer.fields.emplace_back("X-Release-Notes", notes);
        if (!tag.empty() && request.field("If-None-Match").find(tag) != std::string::npos) {
            answer.status = 304;
            return answer;
        }
        const std::string if_range = request.field("If-Range");
        const bool ranged = has_ranges && (if_range.empty() || if_range == tag);
        if (!ranged) {
            answer.body = file;
            return answer;
        }
        const std::string range = request.field("Range").substr(std::string("bytes=").size());
        const size_t first = std::strtoul(range.c_str(), nullptr, 10);
        const std::string last_text = range.substr(range.find('-') + 1);
        size_t last = last_text.empty() ? SIZE_MAX : std::strtoul(last_text.c_str(), nullptr, 10);
        const std::string total = std::to_string(file.size());
        if (first >= file.size()) {
            answer.status = 416;
            answer.fields.emplace_back("Content-Range", "bytes */" + total);
            return answer;
        }
        last = std::min(last, file.size() - 1);
        answer.status = 206;
        answer.fields.emplace_back("Content-Range", "bytes " + std::to_string(first) + "-" +
                                                        std::to_string(last) + "/" + total);
        answer.body.assign(file.begin() + static_cast<std::ptrdiff_t>(first),
                           file.begin() + static_cast<std::ptrdiff_t>(last + 1));
        return answer;
    }

    HttpAnswer answer_;
    ota::HttpHeadSink* head_ = nullptr;
    bool head_sent_ = false;
    size_t sent_ = 0;
    uint32_t idle_left_ = 0;
    uint32_t reads_ = 0;
};

// An answer that is a status and, if value is not empty, one field.
inline HttpAnswer http_answer(uint16_t status, const std::string& name = "",
                              const std::string& value = "") {
    HttpAnswer answer;
    answer.status = status;
    if (!name.empty()) answer.fields.emplace_back(name, value);
    return answer;
}

}  // namespace test
