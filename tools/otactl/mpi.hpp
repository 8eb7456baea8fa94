// mbedTLS's big numbers with an owner.
#pragma once

#include <mbedtls/bignum.h>

#include "failure.hpp"

namespace otactl {

inline void require_mbedtls(int error) {
    if (error == 0) return;
    throw Failure(Exit::kMalformed, "the key can't sign (mbedTLS " + std::to_string(error) + ")");
}

class Mpi {
  public:
    Mpi() { mbedtls_mpi_init(&value_); }
    ~Mpi() { mbedtls_mpi_free(&value_); }
    Mpi(const Mpi&) = delete;
    Mpi& operator=(const Mpi&) = delete;
    mbedtls_mpi* get() { return &value_; }

  private:
    mbedtls_mpi value_;
};

}  // namespace otactl
