// The few functions of a C++ runtime that the tests need where there is no C++ library.
#include <psa/crypto.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>

void* operator new(std::size_t size) {
    void* memory = std::malloc(size);
    if (memory == nullptr) std::abort();
    return memory;
}
void* operator new[](std::size_t size) {
    return operator new(size);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace std {
void __throw_length_error(const char*) {
    abort();
}
void __throw_logic_error(const char*) {
    abort();
}
void __throw_out_of_range_fmt(const char*, ...) {
    abort();
}
void __throw_bad_alloc() {
    abort();
}
void __throw_bad_array_new_length() {
    abort();
}
void __throw_bad_function_call() {
    abort();
}
void __throw_bad_optional_access() {
    abort();
}
}  // namespace std

extern "C" {
void* __dso_handle = nullptr;
void __cxa_pure_virtual() {
    abort();
}
int __cxa_atexit(void (*)(void*), void*, void*) {
    return 0;
}

// Blinding factors of the tests; nothing here is secret.
psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t*,
                                             uint8_t* output, size_t size, size_t* length) {
    static uint32_t state = 1;
    for (size_t i = 0; i < size; ++i) {
        state = state * 1664525U + 1013904223U;
        output[i] = static_cast<uint8_t>(state >> 24);
    }
    *length = size;
    return PSA_SUCCESS;
}
}
