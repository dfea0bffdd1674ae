// SPDX-License-Identifier: MIT
#include <anyio/testing/test.hpp>

#include <anyio/backends/registry.hpp>
#include <anyio/base/describe.hpp>
#include <anyio/base/exception_group.hpp>
#include <anyio/basics/run.hpp>
#include <anyio/lowlevel/frame_memory.hpp>
#include <anyio/testing/random_order.hpp>
#include <anyio/testing/virtual_clock.hpp>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>

namespace anyio::testing::detail {

namespace {

std::size_t open_descriptors() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry :
         std::filesystem::directory_iterator("/proc/self/fd"))
        ++count;
    return count;
}

// A number, or "random": another one for each test.
std::optional<std::uint64_t> seed_from_environment() {
    const char* const text = std::getenv("ANYIO_SEED");
    if (!text || !*text)
        return std::nullopt;
    if (std::string_view(text) == "random")
        return std::random_device()();
    char* end = nullptr;
    const std::uint64_t seed = std::strtoull(text, &end, 10);
    if (*end != '\0')
        ADD_FAILURE() << "ANYIO_SEED=" << text << ": expected a number, or \"random\"";
    return seed;
}

class task_test final : public ::testing::Test {
public:
    task_test(std::string backend, task<> (*body)())
        : backend_(std::move(backend)), body_(body) {}

    void TestBody() override {
        const std::size_t descriptors = open_descriptors();
        const std::size_t blocks = lowlevel::frame_memory().blocks_in_use;
        const std::optional<std::uint64_t> seed = seed_from_environment();
        try {
            virtual_clock clock;
            random_order order(seed.value_or(0));
            run({.backend = backend_,
                 .clock = &clock,
                 .chooser = seed ? &order : nullptr},
                body_);
        } catch (const exception_group& group) {
            ADD_FAILURE() << "the test's task threw " << group.what();
        } catch (...) {
            ADD_FAILURE() << "the test's task threw "
                          << describe_exception(std::current_exception());
        }
        if (seed && HasFailure())
            ADD_FAILURE() << "in a random order; to see it again: ANYIO_SEED=" << *seed;
        EXPECT_EQ(lowlevel::frame_memory().blocks_in_use, blocks)
            << "coroutine frames or task records are left";
        EXPECT_EQ(open_descriptors(), descriptors) << "descriptors are left open";
    }

private:
    std::string backend_;
    task<> (*body_)();
};

}  // namespace

bool register_test(
    const char* suite, const char* name, const char* file, int line, task<> (*body)()
) {
    for (const std::string& backend : get_available_backends())
        ::testing::RegisterTest(
            suite,
            describe(name, '/', backend).c_str(),
            nullptr,
            nullptr,
            file,
            line,
            [backend, body]() -> ::testing::Test* {
                return new task_test(backend, body);
            }
        );
    return true;
}

}  // namespace anyio::testing::detail
