// SPDX-License-Identifier: MIT
#include <anyio/testing/check_object_stream.hpp>
#include <anyio/testing/memory_stream.hpp>
#include "support/anyio_test.hpp"

#include <memory>
#include <utility>

using namespace anyio;

namespace {

template <int Capacity>
struct memory_objects {
    static auto make() -> task<std::pair<
        memory_object_send_stream<std::string>,
        memory_object_receive_stream<std::string>>> {
        co_return create_memory_object_stream<std::string>(Capacity);
    }

    static std::string item(int number) { return "item " + std::to_string(number); }
};

struct unbounded_memory {
    static constexpr bool bounded = false;

    static auto make() -> task<
        std::pair<memory_object_send_stream<int>, memory_object_receive_stream<int>>> {
        co_return create_memory_object_stream<int>(unbounded);
    }

    static int item(int number) { return number; }
};

struct erased_objects {
    static auto make() -> task<
        std::pair<abc::object_send_stream<int>, abc::object_receive_stream<int>>> {
        auto [send, receive] = create_memory_object_stream<int>(1);
        co_return std::pair(
            abc::object_send_stream<int>(std::move(send)),
            abc::object_receive_stream<int>(std::move(receive))
        );
    }

    static int item(int number) { return number; }
};

/// One half is not used: what is stapled works in each direction.
struct stapled_objects {
    using stream = stapled_object_stream<
        memory_object_send_stream<int>,
        memory_object_receive_stream<int>>;

    static task<std::pair<stream, stream>> make() {
        auto [there_in, there_out] = create_memory_object_stream<int>(2);
        auto [back_in, back_out] = create_memory_object_stream<int>(2);
        co_return std::pair(
            stream(std::move(there_in), std::move(back_out)),
            stream(std::move(back_in), std::move(there_out))
        );
    }

    static int item(int number) { return number; }
};

/// Lines of text, each in a chunk of its own.
struct text_objects {
    static auto make() -> task<std::pair<
        text_send_stream<memory_object_send_stream<bytes>>,
        text_receive_stream<memory_object_receive_stream<bytes>>>> {
        auto [send, receive] = create_memory_object_stream<bytes>(1);
        co_return std::pair(
            text_send_stream(std::move(send)), text_receive_stream(std::move(receive))
        );
    }

    static std::string item(int number) {
        return "Z\u00e4hler " + std::to_string(number);
    }
};

using rendezvous = memory_objects<0>;
using one_place = memory_objects<1>;
using many_places = memory_objects<100>;

}  // namespace

ANYIO_CHECK_OBJECT_STREAM(rendezvous_contract, rendezvous)
ANYIO_CHECK_OBJECT_STREAM(one_place_contract, one_place)
ANYIO_CHECK_OBJECT_STREAM(many_places_contract, many_places)
ANYIO_CHECK_OBJECT_STREAM(unbounded_contract, unbounded_memory)
ANYIO_CHECK_OBJECT_STREAM(erased_object_contract, erased_objects)
ANYIO_CHECK_OBJECT_STREAM(stapled_object_contract, stapled_objects)
ANYIO_CHECK_OBJECT_STREAM(text_contract, text_objects)
