// SPDX-License-Identifier: MIT
#include "openssl.hpp"

#include <algorithm>
#include <cstring>

namespace anyio::detail {

namespace {

cipher_buffers& buffers_of(BIO* bio) {
    return *static_cast<cipher_buffers*>(BIO_get_data(bio));
}

int read_input(BIO* bio, char* into, std::size_t room, std::size_t* got) {
    cipher_buffers& buffers = buffers_of(bio);
    BIO_clear_retry_flags(bio);
    *got = std::min(room, buffers.input_end - buffers.input_begin);
    if (*got == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    std::memcpy(into, buffers.input.data() + buffers.input_begin, *got);
    buffers.input_begin += *got;
    return 1;
}

int write_output(BIO* bio, const char* data, std::size_t size, std::size_t* written) {
    BIO_clear_retry_flags(bio);
    try {
        buffers_of(bio).output.append(std::string_view(data, size));
    } catch (...) {
        *written = 0;
        return 0;  // out of memory: an exception must not cross C
    }
    *written = size;
    return 1;
}

long control(BIO*, int command, long, void*) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* make_method() {
    BIO_METHOD* method =
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "anyio buffers");
    if (!method || !BIO_meth_set_read_ex(method, &read_input) ||
        !BIO_meth_set_write_ex(method, &write_output) ||
        !BIO_meth_set_ctrl(method, &control))
        throw_configuration("tls");
    return method;
}

}  // namespace

BIO* make_buffer_bio(cipher_buffers& buffers) {
    static BIO_METHOD* const method = make_method();
    BIO* bio = BIO_new(method);
    if (!bio)
        throw_configuration("tls");
    BIO_set_data(bio, &buffers);
    BIO_set_init(bio, 1);
    return bio;
}

}  // namespace anyio::detail
