#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <type_traits>

namespace small_harness {

struct Test {
    Test(const char* suite, const char* name, void (*run)());
    const char* suite;
    const char* name;
    void (*run)();
    Test* next = nullptr;
};

struct Registry {
    Test* first = nullptr;
    Test* last = nullptr;
    unsigned failures_of_current = 0;
};
inline Registry registry;

inline Test::Test(const char* suite_name, const char* test_name, void (*function)())
    : suite(suite_name), name(test_name), run(function) {
    (registry.last == nullptr ? registry.first : registry.last->next) = this;
    registry.last = this;
}

template <typename T>
void print_value(const T& value) {
    if constexpr (std::is_enum_v<T> || std::is_integral_v<T>) {
        std::printf("%lld", static_cast<long long>(value));
    } else {
        std::printf("(%u bytes)", static_cast<unsigned>(sizeof value));
    }
}

// Swallows what a test adds with <<.
struct Message {
    template <typename T>
    Message& operator<<(const T&) {
        return *this;
    }
};
// Lowest precedence, so that a failed ASSERT returns after its message was built.
struct Sink {
    void operator&(const Message&) const {}
};

inline void fail(const char* file, int line, const char* text) {
    ++registry.failures_of_current;
    std::printf("%s:%d: %s\n", file, line, text);
}

template <typename A, typename B, typename Compare>
bool check(const A& a, const B& b, Compare compare, const char* file, int line, const char* text) {
    if (compare(a, b)) return true;
    fail(file, line, text);
    std::printf("  left ");
    print_value(a);
    std::printf(", right ");
    print_value(b);
    std::printf("\n");
    return false;
}

inline bool check_text(const char* a, const char* b, const char* file, int line, const char* text) {
    if (std::strcmp(a, b) == 0) return true;
    fail(file, line, text);
    std::printf("  left \"%s\", right \"%s\"\n", a, b);
    return false;
}

inline bool check_true(bool value, const char* file, int line, const char* text) {
    if (!value) fail(file, line, text);
    return value;
}

int run_all();

}  // namespace small_harness

#define SMALL_COMPARE_(a, b, op)                                                                  \
    small_harness::check((a), (b), [](const auto& x, const auto& y) { return x op y; }, __FILE__, \
                         __LINE__, #a " " #op " " #b)
#define SMALL_EXPECT_(condition) \
    if (condition) {             \
    } else                       \
        small_harness::Message()
#define SMALL_ASSERT_(condition) \
    if (condition) {             \
    } else                       \
        return small_harness::Sink() & small_harness::Message()

#define EXPECT_EQ(a, b) SMALL_EXPECT_(SMALL_COMPARE_(a, b, ==))
#define EXPECT_NE(a, b) SMALL_EXPECT_(SMALL_COMPARE_(a, b, !=))
#define EXPECT_LT(a, b) SMALL_EXPECT_(SMALL_COMPARE_(a, b, <))
#define EXPECT_LE(a, b) SMALL_EXPECT_(SMALL_COMPARE_(a, b, <=))
#define EXPECT_GT(a, b) SMALL_EXPECT_(SMALL_COMPARE_(a, b, >))
#define EXPECT_GE(a, b) SMALL_EXPECT_(SMALL_COMPARE_(a, b, >=))
#define EXPECT_TRUE(a) \
    SMALL_EXPECT_(small_harness::check_true(static_cast<bool>(a), __FILE__, __LINE__, #a))
#define EXPECT_FALSE(a) \
    SMALL_EXPECT_(small_harness::check_true(!static_cast<bool>(a), __FILE__, __LINE__, "not " #a))
#define EXPECT_STREQ(a, b) \
    SMALL_EXPECT_(small_harness::check_text((a), (b), __FILE__, __LINE__, #a " == " #b))
#define ASSERT_EQ(a, b) SMALL_ASSERT_(SMALL_COMPARE_(a, b, ==))
#define ASSERT_NE(a, b) SMALL_ASSERT_(SMALL_COMPARE_(a, b, !=))
#define ASSERT_LT(a, b) SMALL_ASSERT_(SMALL_COMPARE_(a, b, <))
#define ASSERT_GT(a, b) SMALL_ASSERT_(SMALL_COMPARE_(a, b, >))
#define ASSERT_TRUE(a) \
    SMALL_ASSERT_(small_harness::check_true(static_cast<bool>(a), __FILE__, __LINE__, #a))
#define ASSERT_FALSE(a) \
    SMALL_ASSERT_(small_harness::check_true(!static_cast<bool>(a), __FILE__, __LINE__, "not " #a))

namespace testing {
// Base of fixtures; they set up in their constructor.
struct Test {};
}  // namespace testing

#define TEST_F(fixture, name)           \
    struct fixture##_##name : fixture { \
        void run_it();                  \
    };                                  \
    TEST(fixture, name) {               \
        fixture##_##name test;          \
        test.run_it();                  \
    }                                   \
    void fixture##_##name::run_it()

#define TEST(suite, name)                                                                   \
    static void suite##_##name##_body();                                                    \
    static small_harness::Test suite##_##name##_test(#suite, #name, suite##_##name##_body); \
    static void suite##_##name##_body()
