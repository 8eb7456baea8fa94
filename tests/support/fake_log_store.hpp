// Files on a card that keeps what was made durable when it loses power or is pulled.
#pragma once

#include <map>
#include <string>

#include "ports/log_store.hpp"

namespace test {

class FakeLogStore final : public ota::LogStore {
  public:
    std::map<uint32_t, std::string> files;    // with what a program would read
    std::map<uint32_t, std::string> durable;  // after a power loss
    bool inserted = true;
    uint32_t room = UINT32_MAX;  // bytes
    uint32_t fails_in = 0;       // calls until one fails; 0: none does
    uint32_t calls = 0;
    uint32_t closed_for_good = 0;  // a file that can't be opened, nor read
    uint32_t kept = 0;             // one that can't be removed
    size_t torn = SIZE_MAX;        // bytes of an append that fails that come to be there

    void lose_power() {
        files = durable;
        open_ = 0;
    }

    bool set_directory(std::string_view directory) override {
        return directory.starts_with("/sdcard");
    }
    ota::Status range(Range& out) override {
        out = {};
        if (!works()) return failure();
        if (!files.empty())
            out = {files.begin()->first, files.rbegin()->first,
                   static_cast<uint32_t>(files.size())};
        return {};
    }
    ota::Result<uint32_t> open(uint32_t number) override {
        if (!works() || number == closed_for_good) return failure();
        open_ = number;
        return static_cast<uint32_t>(files[number].size());
    }
    ota::Status append(ota::Bytes bytes) override {
        if (open_ == 0) return failure();
        const bool ok = works() && used() + bytes.size() <= room;
        const size_t n = ok ? bytes.size() : std::min(torn, bytes.size());
        if (inserted && (ok || torn != SIZE_MAX)) {
            files[open_].append(reinterpret_cast<const char*>(bytes.data()), n);
        }
        return ok ? ota::kOkStatus : failure();
    }
    ota::Status sync() override {
        if (open_ == 0 || !works()) return failure();
        durable = files;
        return {};
    }
    ota::Status remove(uint32_t number) override {
        if (!works() || number == kept) return failure();
        files.erase(number);
        durable.erase(number);
        return {};
    }
    ota::Result<size_t> read(uint32_t number, uint32_t offset, ota::MutableBytes out) override {
        if (!works() || files.count(number) == 0 || number == closed_for_good) return failure();
        const std::string part =
            offset < files[number].size() ? files[number].substr(offset, out.size()) : "";
        std::copy(part.begin(), part.end(), out.begin());
        return part.size();
    }
    void close() override { open_ = 0; }

    bool is_open() const { return open_ != 0; }
    std::string all() const {
        std::string out;
        for (const auto& [number, text] : files) out += text;
        return out;
    }

  private:
    bool works() {
        ++calls;
        if (fails_in != 0 && --fails_in == 0) return false;
        return inserted;
    }
    ota::Status failure() const {
        return {ota::Code::kUnavailable, ota::Origin::kPlatform,
                inserted ? ota::Detail::kFileWriteError : ota::Detail::kMediumAbsent};
    }
    size_t used() const {
        size_t out = 0;
        for (const auto& [number, text] : files) out += text.size();
        return out;
    }
    uint32_t open_ = 0;
};

}  // namespace test
