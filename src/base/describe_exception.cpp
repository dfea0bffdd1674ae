// SPDX-License-Identifier: MIT

#include <anyio/base/describe.hpp>
#include <anyio/base/exception_group.hpp>
#include "group_state.hpp"

#include <cxxabi.h>

namespace anyio {

std::string describe_exception(const std::exception_ptr& error) {
    if (!error) {
        return "no exception";
    }
    try {
        std::rethrow_exception(error);
    } catch (const exception_group& group) {
        return describe(
            "exception_group: ", detail::headline(*detail::group_state::of(group))
        );
    } catch (const std::exception& e) {
        return describe(type_name(typeid(e)), ": ", e.what());
    } catch (const std::string& text) {
        return describe("std::string: ", text);
    } catch (const char* text) {
        return describe("const char*: ", text != nullptr ? text : "null");
    } catch (...) {
        const std::type_info* type = abi::__cxa_current_exception_type();
        return type != nullptr ? type_name(*type) : "an exception of unknown type";
    }
}

}  // namespace anyio
