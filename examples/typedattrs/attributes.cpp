// SPDX-License-Identifier: MIT
// Attributes of one's own, found through a wrapper and through an erased stream.
#include <anyio/anyio.hpp>

#include <iostream>

using anyio::task;

struct tape_attribute {
    struct label : anyio::typed_attribute<std::string> {};

    struct metres_left : anyio::typed_attribute<int> {};
};

class tape : public anyio::abc::byte_receiver<tape> {
public:
    using extra_attributes = anyio::attribute_list<tape_attribute::label>;

    std::string attribute(tape_attribute::label) const { return "holiday 1987"; }

    task<std::size_t> receive_some(anyio::byte_span) { co_return std::size_t{0}; }

    task<> aclose() { co_return; }
};

task<> main_task() {
    anyio::buffered_byte_receive_stream buffered((tape()));
    std::cout << anyio::extra<tape_attribute::label>(buffered) << "\n";

    const anyio::abc::byte_receive_stream erased(std::move(buffered));
    std::cout << anyio::extra<tape_attribute::label>(erased) << "\n";
    std::cout << anyio::extra_or<tape_attribute::metres_left>(erased, -1) << "\n";
    try {
        (void)anyio::extra<tape_attribute::metres_left>(erased);
    } catch (const anyio::typed_attribute_lookup_error& e) {
        std::cout << e.what() << "\n";
    }
    co_return;
}

int main() {
    anyio::run(main_task);
}

// Output:
// holiday 1987
// holiday 1987
// -1
// extra tape_attribute::metres_left of anyio::abc::byte_receive_stream: it does not have this attribute; use extra_or to give a default
