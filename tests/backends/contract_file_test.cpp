// SPDX-License-Identifier: MIT
#include <anyio/backends/file_request.hpp>
#include "backends/contract.hpp"
#include "support/temporary_folder.hpp"

#include <sys/stat.h>

using namespace std::chrono_literals;
using anyio::unique_fd;
using anyio::backends::file_code;
using anyio::backends::file_request;

namespace {

struct counted_file_request : file_request {
    explicit counted_file_request(file_code what, int on = -1) {
        code = what;
        fd = on;
        completed = [](file_request& r) noexcept {
            ++static_cast<counted_file_request&>(r).completions;
        };
    }

    int completions = 0;
};

/// The others leave files to worker threads.
std::vector<std::string> backends_with_files() {
    std::vector<std::string> names;
    for (const std::string& name : anyio::get_available_backends())
        if (anyio::backends::make_backend(name)->files())
            names.push_back(name);
    return names;
}

class file_contract : public contract {
protected:
    void SetUp() override {
        files = loop->files();
        ASSERT_NE(files, nullptr);
        folder.write("data", "0123456789");
    }

    void TearDown() override { ::close(one); }

    void finish(counted_file_request& r) const {
        for (int i = 0; i < 100 && r.completions == 0; ++i)
            loop->wait(10ms);
        EXPECT_EQ(r.completions, 1);
    }

    std::int64_t complete(counted_file_request& r) const {
        EXPECT_FALSE(files->submit(r));
        EXPECT_EQ(r.completions, 0);  // never from submit()
        finish(r);
        return r.result;
    }

    [[nodiscard]] int open(const std::string& name, int flags) const {
        const std::string path = folder.path(name);
        counted_file_request r(file_code::open);
        r.path = path.c_str();
        r.flags = flags;
        r.mode = 0600;
        return static_cast<int>(complete(r));
    }

    [[nodiscard]] counted_file_request
    read(int fd, std::int64_t offset, std::size_t size) {
        counted_file_request r(file_code::read, fd);
        r.data = buffer.data();
        r.size = size;
        r.offset = offset;
        return r;
    }

    [[nodiscard]] std::string got(const file_request& r) const {
        return {
            buffer.data(), static_cast<std::size_t>(std::max<std::int64_t>(r.result, 0))
        };
    }

    support::temporary_folder folder;
    anyio::backends::file_service* files = nullptr;
};

}  // namespace

TEST_P(file_contract, opens_writes_syncs_and_closes) {
    const int fd = open("new", O_WRONLY | O_CREAT);
    ASSERT_GE(fd, 0);
    EXPECT_EQ(::fcntl(fd, F_GETFD), FD_CLOEXEC);
    std::string text = "hello";
    counted_file_request write(file_code::write, fd);
    write.data = text.data();
    write.size = text.size();
    EXPECT_EQ(complete(write), 5);
    for (const file_code last :
         {file_code::sync, file_code::sync_data, file_code::close}) {
        counted_file_request r(last, fd);
        EXPECT_EQ(complete(r), 0);
    }
    EXPECT_EQ(::fcntl(fd, F_GETFD), -1);
    EXPECT_EQ(folder.read("new"), "hello");
}

TEST_P(file_contract, reads_where_it_is_told_to_or_where_the_file_is) {
    const unique_fd fd(open("data", O_RDONLY));
    counted_file_request middle = read(fd.get(), 3, 4);
    complete(middle);
    EXPECT_EQ(got(middle), "3456");
    for (const char* const expected : {"012345", "6789", ""}) {  // the end is 0 bytes
        counted_file_request next = read(fd.get(), file_request::at_position, 6);
        complete(next);
        EXPECT_EQ(got(next), expected);
    }
}

TEST_P(file_contract, has_many_requests_under_way_on_one_file) {
    const unique_fd fd(open("data", O_RDONLY));
    std::string digits(10, ' ');
    std::vector<counted_file_request> requests;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        requests.push_back(read(fd.get(), static_cast<std::int64_t>(i), 1));
        requests.back().data = &digits[i];
    }
    for (counted_file_request& r : requests)
        EXPECT_FALSE(files->submit(r));
    EXPECT_EQ(loop->pending(), digits.size());
    for (counted_file_request& r : requests)
        finish(r);
    EXPECT_EQ(digits, "0123456789");
    EXPECT_EQ(loop->pending(), 0U);
}

TEST_P(file_contract, says_what_went_wrong) {
    EXPECT_EQ(open("missing", O_RDONLY), -ENOENT);
    EXPECT_EQ(open("missing/file", O_WRONLY | O_CREAT), -ENOENT);
    EXPECT_EQ(open("data", O_WRONLY | O_CREAT | O_EXCL), -EEXIST);
    const unique_fd fd(open("data", O_RDONLY));
    counted_file_request write(file_code::write, fd.get());
    EXPECT_EQ(complete(write), -EBADF);
    counted_file_request closed = read(999'999, 0, 1);
    EXPECT_EQ(complete(closed), -EBADF);
}

TEST_P(file_contract, reads_what_there_is_if_more_than_4_gib_are_wanted) {
    const unique_fd fd(open("data", O_RDONLY));
    counted_file_request r = read(fd.get(), 0, (std::size_t{1} << 32U) + 1);
    complete(r);
    EXPECT_EQ(got(r), "0123456789");
}

TEST_P(file_contract, waits_for_a_pipe_without_holding_up_others) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const unique_fd reader(ends[0]);
    const unique_fd writer(ends[1]);
    counted_file_request waits = read(reader.get(), file_request::at_position, 10);
    EXPECT_FALSE(files->submit(waits));
    look();
    const unique_fd fd(open("data", O_RDONLY));
    EXPECT_GE(fd.get(), 0);
    EXPECT_EQ(waits.completions, 0);
    EXPECT_EQ(::write(writer.get(), "hello", 5), 5);
    finish(waits);
    EXPECT_EQ(got(waits), "hello");
}

TEST_P(file_contract, a_pipe_whose_reader_has_gone_raises_no_signal) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    ::close(ends[0]);
    const unique_fd writer(ends[1]);
    std::string text = "for nobody";
    counted_file_request write(file_code::write, writer.get());
    write.data = text.data();
    write.size = text.size();
    EXPECT_EQ(complete(write), -EPIPE);
}

TEST_P(file_contract, cancels_what_waits) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const unique_fd reader(ends[0]);
    const unique_fd writer(ends[1]);
    for (const bool handed_over : {false, true}) {
        counted_file_request r = read(reader.get(), file_request::at_position, 10);
        EXPECT_FALSE(files->submit(r));
        if (handed_over)
            look();
        files->cancel(r);
        EXPECT_EQ(r.completions, 0);  // never from cancel()
        finish(r);
        EXPECT_EQ(r.result, -ECANCELED);
    }
    EXPECT_EQ(::write(writer.get(), "kept", 4), 4);  // nothing was taken
    counted_file_request r = read(reader.get(), file_request::at_position, 10);
    complete(r);
    EXPECT_EQ(got(r), "kept");
    EXPECT_EQ(loop->pending(), 0U);
}

TEST_P(file_contract, opens_a_fifo_without_waiting_for_its_other_end) {
    ASSERT_EQ(::mkfifo(folder.path("fifo").c_str(), 0600), 0);
    const unique_fd reader(open("fifo", O_RDONLY));
    EXPECT_GE(reader.get(), 0);
}

TEST_P(file_contract, gives_the_result_of_what_was_faster_than_its_cancellation) {
    const unique_fd fd(open("data", O_RDONLY));
    for (int i = 0; i < 50; ++i) {
        counted_file_request r = read(fd.get(), 0, 10);
        EXPECT_FALSE(files->submit(r));
        if (i % 2 == 0)
            look();
        if (r.completions == 0)
            files->cancel(r);
        finish(r);
        EXPECT_TRUE(r.result == 10 || r.result == -ECANCELED) << r.result;
    }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(file_contract);
INSTANTIATE_TEST_SUITE_P(
    backends,
    file_contract,
    ::testing::ValuesIn(backends_with_files()),
    [](const auto& tested) { return tested.param; }
);
