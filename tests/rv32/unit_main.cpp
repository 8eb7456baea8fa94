#include <psa/crypto.h>

#include "support/small_harness.hpp"

int main() {
    if (psa_crypto_init() != PSA_SUCCESS) return 1;
    return small_harness::run_all();
}
