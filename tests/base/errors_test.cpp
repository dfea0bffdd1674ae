#include <anyio/base/errors.hpp>  // first: proves that it compiles alone

#include <gtest/gtest.h>

#include <cerrno>
#include <concepts>
#include <memory>
#include <type_traits>

namespace {

template <class... Errors>
constexpr bool are_errors = (std::derived_from<Errors, anyio::error> && ...);

template <class... Errors>
constexpr bool copy_without_throwing =
    (std::is_nothrow_copy_constructible_v<Errors> && ...);

template <class... Errors>
constexpr bool have_a_default_message = (std::default_initializable<Errors> && ...);

}  // namespace

static_assert(std::derived_from<anyio::usage_error, std::logic_error>);
static_assert(std::derived_from<anyio::error, std::runtime_error>);
static_assert(std::derived_from<anyio::os_error, std::system_error>);
static_assert(std::derived_from<anyio::task_cancelled, anyio::task_failed>);
static_assert(std::derived_from<anyio::future_cancelled, anyio::future_failed>);
static_assert(std::derived_from<
              anyio::typed_attribute_lookup_error,
              anyio::lookup_error>);
static_assert(are_errors<
              anyio::broken_resource_error,
              anyio::closed_resource_error,
              anyio::busy_resource_error,
              anyio::end_of_stream,
              anyio::would_block,
              anyio::incomplete_read,
              anyio::delimiter_not_found,
              anyio::connection_failed,
              anyio::lookup_error,
              anyio::broken_worker_process,
              anyio::task_not_finished,
              anyio::task_failed,
              anyio::future_not_finished,
              anyio::future_failed,
              anyio::future_already_finished,
              anyio::timeout_error,
              anyio::no_event_loop_error,
              anyio::run_finished_error,
              anyio::deadlock_error>);
static_assert(copy_without_throwing<
              anyio::usage_error,
              anyio::error,
              anyio::busy_resource_error,
              anyio::delimiter_not_found,
              anyio::os_error>);
static_assert(have_a_default_message<
              anyio::broken_resource_error,
              anyio::closed_resource_error,
              anyio::end_of_stream,
              anyio::would_block,
              anyio::incomplete_read,
              anyio::connection_failed,
              anyio::typed_attribute_lookup_error,
              anyio::broken_worker_process,
              anyio::task_not_finished,
              anyio::task_failed,
              anyio::task_cancelled,
              anyio::future_not_finished,
              anyio::future_failed,
              anyio::future_cancelled,
              anyio::future_already_finished,
              anyio::timeout_error,
              anyio::no_event_loop_error,
              anyio::run_finished_error>);

TEST(os_error, says_operation_subject_cause_and_what_to_do) {
    const anyio::os_error e(
        EACCES, "bind tcp", "0.0.0.0:80", "ports below 1024 need CAP_NET_BIND_SERVICE"
    );
    EXPECT_STREQ(
        e.what(),
        "bind tcp 0.0.0.0:80: permission denied (EACCES); ports below 1024 need "
        "CAP_NET_BIND_SERVICE"
    );
    EXPECT_EQ(e.operation(), "bind tcp");
    EXPECT_EQ(e.subject(), "0.0.0.0:80");
    EXPECT_EQ(e.code(), std::errc::permission_denied);
    EXPECT_EQ(e.code().value(), EACCES);
}

TEST(os_error, may_have_no_subject_and_no_hint) {
    const anyio::os_error e(EMFILE, "epoll_create1");
    EXPECT_STREQ(e.what(), "epoll_create1: too many open files (EMFILE)");
    EXPECT_EQ(e.subject(), "");
    EXPECT_EQ(e.operation(), "epoll_create1");
}

TEST(os_error, names_the_category_of_codes_that_are_no_errno) {
    const anyio::os_error e(make_error_code(std::io_errc::stream), "read", "file");
    const std::string_view what = e.what();
    EXPECT_TRUE(what.starts_with("read file: ")) << what;
    EXPECT_TRUE(what.ends_with("(iostream 1)")) << what;
}

TEST(os_error, a_copy_keeps_its_parts_when_the_original_is_gone) {
    auto first = std::make_unique<anyio::os_error>(ENOENT, "open", "/tmp/x");
    const anyio::os_error copy = *first;
    first.reset();
    EXPECT_STREQ(copy.what(), "open /tmp/x: no such file or directory (ENOENT)");
    EXPECT_EQ(copy.subject(), "/tmp/x");
}

TEST(busy_resource_error, says_what_another_task_is_doing) {
    const anyio::busy_resource_error plain("receiving from");
    EXPECT_STREQ(plain.what(), "another task is already receiving from");
    EXPECT_EQ(plain.action(), "receiving from");

    const anyio::busy_resource_error full(
        "receiving",
        "receive on socket_stream 127.0.0.1:1234",
        ": \"reader-2\" (this is \"reader-7\"); give each stream one reader"
    );
    EXPECT_STREQ(
        full.what(),
        "receive on socket_stream 127.0.0.1:1234: another task is already receiving: "
        "\"reader-2\" (this is \"reader-7\"); give each stream one reader"
    );
    EXPECT_EQ(full.action(), "receiving");
}

TEST(delimiter_not_found, says_how_far_it_looked) {
    const anyio::delimiter_not_found e(4096);
    EXPECT_STREQ(e.what(), "the delimiter was not found in the first 4096 bytes");
    EXPECT_EQ(e.max_bytes(), 4096u);
}

TEST(errors, take_a_message_of_their_own) {
    EXPECT_STREQ(
        anyio::end_of_stream("receive on pipe: end of stream").what(),
        "receive on pipe: end of stream"
    );
    EXPECT_STREQ(anyio::task_cancelled().what(), "the task was cancelled");
}
