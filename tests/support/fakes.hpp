// Ports for tests: state in the open, no threads, virtual time.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "linux/clock_virtual.hpp"
#include "ports/battery.hpp"
#include "ports/events.hpp"
#include "ports/file_store.hpp"
#include "ports/mailbox.hpp"
#include "ports/restart.hpp"
#include "ports/update_record.hpp"
#include "support/image_factory.hpp"
#include "wire/sha256.hpp"

namespace test {

class FakeBattery final : public ota::Battery {
  public:
    explicit FakeBattery(ota::Clock& clock) : clock_(clock) {}
    ota::Status snapshot(ota::BatterySnapshot& out) override {
        if (!status.ok()) return status;
        out = values;
        out.taken_at = static_cast<int64_t>(clock_.now()) - age;
        return {};
    }
    ota::BatterySnapshot values{80, 18000, 24000, 0, 160000000, 0};
    int64_t age = 0;
    ota::Status status;

  private:
    ota::Clock& clock_;
};

class FakeRestart final : public ota::Restart {
  public:
    void restart() override { requested = true; }
    bool requested = false;
};

class FakeMailbox final : public ota::Mailbox {
  public:
    ota::Status post(const ota::Command& command) override {
        if (queue.size() == 8) return {ota::Code::kNoSpace, ota::Origin::kPlatform};
        queue.push_back(command);
        return {};
    }
    ota::Status post(ota::CommandKind kind) {
        ota::Command command;
        command.kind = kind;
        return post(command);
    }
    ota::Result<bool> take(ota::Command& command, ota::Millis max_wait) override {
        waited = max_wait;
        if (queue.empty()) return false;
        command = queue.front();
        queue.erase(queue.begin());
        return true;
    }
    std::vector<ota::Command> queue;
    ota::Millis waited = 0;  // what the engine was ready to sleep
};

class FakeSignal final : public ota::StatusSignal {
  public:
    void entered(ota::State state) override { entries.push_back(state); }
    Outcome wait(uint32_t, uint32_t, ota::State&) override { return Outcome::kTimeout; }
    void cancel() override {}
    std::vector<ota::State> entries;
};

class EventRecorder final : public ota::EventSink {
  public:
    void on_event(const ota::Event& event) override { events.push_back(event); }
    size_t count(ota::Notice notice) const {
        return static_cast<size_t>(
            std::count_if(events.begin(), events.end(), [&](const ota::Event& e) {
                return e.kind == ota::Event::Kind::kNotice && e.notice == notice;
            }));
    }
    const ota::Event* last(ota::Notice notice) const {
        const ota::Event* found = nullptr;
        for (const ota::Event& e : events) {
            if (e.kind == ota::Event::Kind::kNotice && e.notice == notice) found = &e;
        }
        return found;
    }
    const ota::Event* last(ota::State state) const {
        const ota::Event* found = nullptr;
        for (const ota::Event& e : events) {
            if (e.kind == ota::Event::Kind::kState && e.state == state) found = &e;
        }
        return found;
    }
    std::vector<ota::Event> events;
};

// One package offered by one peer, with scripted misbehaviour.
class FakeSource final : public ota::Source, public ota::Channel {
  public:
    // ---- script
    Buffer package;
    size_t chunk = 4096;  // most bytes a read gives
    bool offered = true;
    uint32_t revision = 0;          // part of the identity, like an ETag
    uint64_t fail_at = UINT64_MAX;  // position where reads fail …
    uint32_t failures = 0;          // … so often
    ota::Status failure{ota::Code::kUnavailable, ota::Origin::kSource, ota::Detail::kFileReadError};
    uint32_t idle_reads = 0;            // so many "nothing yet" before each chunk
    uint64_t truncate_at = UINT64_MAX;  // the stream ends here although more was announced
    std::optional<ota::Digest> expected_sha256;
    std::optional<std::string> file_signature;
    std::optional<std::array<uint8_t, 16>> expected_md5;
    bool announce_size = true;
    std::string tag;  // entity tag; a fetch that knows it gets kNotModified
    ota::Millis wait_after_failure = 0;
    ota::UnixTime proven_time = 0;

    // ---- seen
    uint64_t bytes_read = 0;
    uint64_t first_offset = UINT64_MAX;  // of the last start that was not at 0
    uint32_t starts = 0;
    std::string asked_for;  // the place of the last start
    bool foreign = false;   // and whether it was a package's word
    bool open = false;
    std::vector<std::string> reports;
    std::vector<ota::Status> refusals;

    ota::Result<bool> poll(ota::Offer& offer) override {
        if (!offered || polled_) return false;
        polled_ = true;
        offer.where.uri = "fake:package";
        return true;
    }
    void rewind() override { polled_ = false; }
    bool arrived() override { return false; }
    void refused(ota::Status why) override { refusals.push_back(why); }
    void report(const ota::Report& report) override { reports.emplace_back(report.json); }

    ota::Status start(const ota::Fetch& fetch) override {
        ++starts;
        asked_for = fetch.where.uri;
        foreign = fetch.foreign;
        position_ = fetch.offset;
        end_ = fetch.length == ota::kToEnd ? UINT64_MAX : fetch.offset + fetch.length;
        known_ = false;
        for (const ota::Validator& validator : fetch.known) {
            known_ = known_ || (!tag.empty() && validator.tag.view() == tag);
        }
        if (fetch.offset != 0) first_offset = fetch.offset;
        idle_left_ = idle_reads;
        open = true;
        return {};
    }
    ota::Result<size_t> read(ota::MutableBytes out) override {
        if (position_ >= fail_at && failures != 0) {
            --failures;
            return failure;
        }
        if (idle_left_ != 0) {
            --idle_left_;
            return size_t{0};
        }
        idle_left_ = idle_reads;
        if (known_) {
            return ota::Status{ota::Code::kNoUpdate, ota::Origin::kSource,
                               ota::Detail::kNotModified};
        }
        const uint64_t end = std::min<uint64_t>({package.size(), truncate_at, end_});
        if (position_ >= end) return ota::Status{ota::Code::kEndOfData, ota::Origin::kSource};
        uint64_t n = std::min<uint64_t>({out.size(), chunk, end - position_});
        if (failures != 0 && position_ < fail_at) n = std::min(n, fail_at - position_);
        std::copy_n(package.begin() + static_cast<std::ptrdiff_t>(position_), n, out.begin());
        position_ += n;
        bytes_read += n;
        return static_cast<size_t>(n);
    }
    ota::Status info(ota::SourceInfo& out) override {
        out = ota::SourceInfo();
        out.size = announce_size ? package.size() : 0;
        out.validator.tag.assign(tag);
        out.proven_time = proven_time;
        out.expected_sha256 = expected_sha256;
        out.expected_md5 = expected_md5;
        if (file_signature) out.file_signature = *file_signature;
        std::array<uint8_t, 8> state{};
        ota::store_le32(&state[0], static_cast<uint32_t>(package.size()));
        ota::store_le32(&state[4], revision);
        return ota::sha256(state, out.identity);
    }
    ota::Millis retry_after() override { return wait_after_failure; }
    void close() override { open = false; }

  private:
    bool polled_ = false;
    bool known_ = false;
    uint64_t position_ = 0;
    uint64_t end_ = UINT64_MAX;
    uint32_t idle_left_ = 0;
};

// A card in memory.
class FakeFileStore final : public ota::FileStore {
  public:
    struct File {
        std::string name;
        Buffer bytes;
        uint64_t modified = 1;
        uint64_t lie_size = 0;  // what the directory says instead of the truth; 0 = the truth
    };
    std::vector<File> files;
    bool inserted = true;
    bool writable = true;
    uint32_t fail_read = 0;  // the n-th read_at from now fails; 0 = none
    size_t most = SIZE_MAX;  // bytes a read gives at most
    int open_files = 0;

    ota::Status next(std::string_view, bool rewind,
                     ota::FixedString<ota::kMaxFileName>& name) override {
        if (!inserted) return absent();
        if (rewind) listed_ = 0;
        if (listed_ >= files.size()) return {ota::Code::kEndOfData, ota::Origin::kPlatform};
        name.assign(files[listed_++].name);
        return {};
    }
    ota::Status open(std::string_view path) override {
        close();
        if (!inserted) return absent();
        for (size_t i = 0; i < files.size(); ++i) {
            if (path.substr(path.rfind('/') + 1) != files[i].name) continue;
            current_ = i;
            ++open_files;
            return {};
        }
        return {ota::Code::kUnavailable, ota::Origin::kPlatform, ota::Detail::kFileNotFound};
    }
    ota::Status stat(ota::FileStat& out) override {
        if (!inserted || open_files == 0) return absent();
        const File& file = files[current_];
        out.size = file.lie_size != 0 ? file.lie_size : file.bytes.size();
        out.modified = file.modified;
        return {};
    }
    ota::Result<size_t> read_at(uint64_t offset, ota::MutableBytes out) override {
        if (!inserted || open_files == 0) return absent();
        if (fail_read != 0 && --fail_read == 0) {
            return ota::Status{ota::Code::kUnavailable, ota::Origin::kPlatform,
                               ota::Detail::kFileReadError};
        }
        const Buffer& bytes = files[current_].bytes;
        if (offset >= bytes.size()) return size_t{0};
        const size_t n = std::min({out.size(), most, bytes.size() - static_cast<size_t>(offset)});
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), n, out.begin());
        return n;
    }
    void close() override { open_files = 0; }
    ota::Status replace(std::string_view path, ota::Bytes bytes) override {
        if (!inserted) return absent();
        if (!writable) {
            return {ota::Code::kUnavailable, ota::Origin::kPlatform, ota::Detail::kFileWriteError};
        }
        const std::string name(path.substr(path.rfind('/') + 1));
        for (File& file : files) {
            if (file.name != name) continue;
            file.bytes.assign(bytes.begin(), bytes.end());
            return {};
        }
        files.push_back({name, Buffer(bytes.begin(), bytes.end())});
        return {};
    }
    // The text of a file, "" if there is none.
    std::string text_of(std::string_view name) const {
        for (const File& file : files) {
            if (file.name == name) return {file.bytes.begin(), file.bytes.end()};
        }
        return {};
    }

  private:
    static ota::Status absent() {
        return {ota::Code::kUnavailable, ota::Origin::kPlatform, ota::Detail::kMediumAbsent};
    }
    size_t current_ = 0;
    size_t listed_ = 0;
};

}  // namespace test
