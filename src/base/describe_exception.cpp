// SPDX-License-Identifier: MIT

#include <anyio/base/describe.hpp>
#include <anyio/base/exception_group.hpp>
#include "group_state.hpp"

#include <cxxabi.h>

namespace anyio {

namespace {

// A report is for people, and repeats what it tells: an error may carry a whole file.
std::string text_of(const char* what) {
    constexpr std::size_t longest = 16384;
    if (what == nullptr) {
        return "null";
    }
    const std::string_view all = what;
    return all.size() <= longest
               ? std::string(all)
               : describe(all.substr(0, longest), "... (", all.size(), " bytes)");
}

}  // namespace

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
        return describe(type_name(typeid(e)), ": ", text_of(e.what()));
    } catch (const std::string& text) {
        return describe("std::string: ", text_of(text.c_str()));
    } catch (const char* text) {
        return describe("const char*: ", text_of(text));
    } catch (...) {
        const std::type_info* type = abi::__cxa_current_exception_type();
        return type != nullptr ? type_name(*type) : "an exception of unknown type";
    }
}

}  // namespace anyio
