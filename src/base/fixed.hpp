// Containers with a fixed capacity and no heap.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "base/status.hpp"

namespace ota {

// Puts what fits of text behind the size characters of data, which has room for capacity of them
// and for a NUL. Returns their new number. One function for texts of every capacity.
[[gnu::noinline]] inline size_t append_text(char* data, size_t size, size_t capacity,
                                            std::string_view text) {
    const size_t n = std::min(text.size(), capacity - size);
    if (n != 0) std::memcpy(data + size, text.data(), n);
    data[size + n] = '\0';
    return size + n;
}

// Text of at most N characters, always NUL-terminated; longer input is cut.
template <size_t N>
class FixedString {
  public:
    constexpr FixedString() = default;
    explicit FixedString(std::string_view text) { assign(text); }

    void assign(std::string_view text) {
        size_ = 0;
        append(text);
    }
    void append(std::string_view text) { size_ = append_text(data_.data(), size_, N, text); }
    // True when all of text fits; otherwise nothing changes.
    bool try_append(std::string_view text) {
        if (text.size() > N - size_) return false;
        append(text);
        return true;
    }
    void clear() { assign({}); }
    // Keeps the first n characters.
    void truncate(size_t n) {
        size_ = n < size_ ? n : size_;
        data_[size_] = '\0';
    }
    // Takes the characters from … to - 1 out; from <= to <= size.
    void erase(size_t from, size_t to) {
        OTA_ASSERT(from <= to && to <= size_);
        std::memmove(data_.data() + from, data_.data() + to, size_ - to);
        truncate(size_ - (to - from));
    }
    // Puts text in the place of as many characters; at + its length <= size.
    void overwrite(size_t at, std::string_view text) {
        OTA_ASSERT(at + text.size() <= size_);
        std::memcpy(data_.data() + at, text.data(), text.size());
    }
    bool empty() const { return size_ == 0; }
    std::string_view view() const { return {data_.data(), size_}; }
    const char* c_str() const { return data_.data(); }

  private:
    friend class TextEnd;
    std::array<char, N + 1> data_{};
    size_t size_ = 0;
};

// Where a text of any capacity goes on, for who appends to it.
class TextEnd {
  public:
    template <size_t N>
    explicit TextEnd(FixedString<N>& text)
        : data_(text.data_.data()), size_(text.size_), capacity_(N) {}
    void append(std::string_view text) { size_ = append_text(data_, size_, capacity_, text); }

  private:
    char* const data_;
    size_t& size_;
    const size_t capacity_;
};

template <typename T, size_t N>
class FixedVector {
  public:
    bool push_back(const T& value) {
        if (size_ == N) return false;
        items_[size_++] = value;
        return true;
    }
    void pop_back() {
        OTA_ASSERT(size_ != 0);
        --size_;
    }
    // The others keep their order.
    void erase(size_t i) {
        OTA_ASSERT(i < size_);
        std::move(begin() + i + 1, end(), begin() + i);
        --size_;
    }
    void clear() { size_ = 0; }
    size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    T& back() { return (*this)[size_ - 1]; }
    const T& back() const { return (*this)[size_ - 1]; }
    T& operator[](size_t i) {
        OTA_ASSERT(i < size_);
        return items_[i];
    }
    const T& operator[](size_t i) const {
        OTA_ASSERT(i < size_);
        return items_[i];
    }
    T* begin() { return items_.data(); }
    T* end() { return items_.data() + size_; }
    const T* begin() const { return items_.data(); }
    const T* end() const { return items_.data() + size_; }

  private:
    std::array<T, N> items_{};
    size_t size_ = 0;
};

}  // namespace ota
