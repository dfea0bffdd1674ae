#include <anyio/base/unique_fd.hpp>  // first: proves that it compiles alone

#include <gtest/gtest.h>

#include <cerrno>
#include <type_traits>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

using anyio::unique_fd;

namespace {

bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) != -1;
}

unique_fd open_something() {
    return unique_fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

}  // namespace

static_assert(!std::is_copy_constructible_v<unique_fd>);
static_assert(std::is_nothrow_move_constructible_v<unique_fd>);
static_assert(!std::is_convertible_v<int, unique_fd>);
static_assert(sizeof(unique_fd) == sizeof(int));

TEST(unique_fd, closes_when_it_is_destroyed) {
    int number = -1;
    {
        const unique_fd fd = open_something();
        number = fd.get();
        EXPECT_TRUE(fd);
        EXPECT_TRUE(is_open(number));
    }
    EXPECT_FALSE(is_open(number));
}

TEST(unique_fd, moves_its_descriptor) {
    unique_fd a = open_something();
    const int number = a.get();
    unique_fd b = std::move(a);
    EXPECT_FALSE(a);  // NOLINT: empty is promised
    EXPECT_EQ(b.get(), number);

    unique_fd c = open_something();
    const int closed = c.get();
    c = std::move(b);
    EXPECT_FALSE(is_open(closed));
    EXPECT_EQ(c.get(), number);
    auto& same = c;
    c = std::move(same);
    EXPECT_TRUE(is_open(number));
}

TEST(unique_fd, release_gives_it_up_open) {
    unique_fd fd = open_something();
    const int number = fd.release();
    EXPECT_FALSE(fd);
    EXPECT_TRUE(is_open(number));
    fd.reset(number);
    EXPECT_EQ(fd.get(), number);
    fd.reset(number);  // its own: stays open
    EXPECT_TRUE(is_open(number));
    fd.reset();
    EXPECT_FALSE(is_open(number));
}

TEST(unique_fd, close_says_what_the_system_says_and_keeps_errno) {
    unique_fd fd = open_something();
    errno = 4711;
    EXPECT_EQ(fd.close(), 0);
    EXPECT_EQ(errno, 4711);
    EXPECT_EQ(fd.close(), 0);  // nothing to close

    unique_fd stolen = open_something();
    ::close(stolen.get());
    errno = 4711;
    EXPECT_EQ(stolen.close(), EBADF);
    EXPECT_FALSE(stolen);
    EXPECT_EQ(errno, 4711);
}

TEST(unique_fd, of_a_failed_call_is_empty) {
    const unique_fd fd(-1);
    EXPECT_FALSE(fd);
    EXPECT_EQ(unique_fd(-5).get(), -1);
}
