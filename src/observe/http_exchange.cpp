#include "observe/http_exchange.hpp"

#include <mbedtls/platform_util.h>

#include "base/text.hpp"
#include "wire/http_date.hpp"

namespace ota {

Status HttpExchange::start(const HttpRequest& request) {
    started_ = clock_.now();
    has_head_ = false;
    status_ = 0;
    date_.reset();
    answer_.clear();
    return client_.start(request, *this);
}

void HttpExchange::on_field(std::string_view name, std::string_view value) {
    if (equal_ignoring_case(name, "date")) date_ = parse_http_date(value);
}

Status HttpExchange::step() {
    Status now;
    if (!has_head_) now = client_.await_head();
    has_head_ = has_head_ || now.ok();
    if (has_head_) now = read();
    if (now.is(Code::kTryAgain)) {
        if (clock_.now() - started_ < kTimeout) return now;
        now = Status{Code::kTimeout, Origin::kSource};
    }
    client_.close();
    return now.is(Code::kEndOfData) ? kOkStatus : now;
}

Status HttpExchange::read() {
    std::array<uint8_t, 256> piece;  // as much in one step
    const Result<size_t> n = client_.read(piece);
    OTA_TRY(n.status());
    answer_.append(as_text(Bytes(piece).first(*n)));
    mbedtls_platform_zeroize(piece.data(), piece.size());
    return {Code::kTryAgain, Origin::kSource};
}

void HttpExchange::close() {
    client_.close();
    answer_.clear();
}

}  // namespace ota
