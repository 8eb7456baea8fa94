#include <gtest/gtest.h>
#include <psa/crypto.h>

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    if (psa_crypto_init() != PSA_SUCCESS) return 1;
    return RUN_ALL_TESTS();
}
