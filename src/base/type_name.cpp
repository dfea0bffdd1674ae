// SPDX-License-Identifier: MIT

#include <anyio/base/describe.hpp>

#include <cstdlib>
#include <memory>

#include <cxxabi.h>

namespace anyio {

namespace {

/// `E` for `wrapper<E>`; nothing else changes.
void strip(std::string& name, std::string_view wrapper) {
    if (name.size() > wrapper.size() && name.starts_with(wrapper) &&
        name.ends_with('>')) {
        name = name.substr(wrapper.size(), name.size() - wrapper.size() - 1);
        while (name.ends_with(' ')) {
            name.pop_back();
        }
    }
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != text.npos;
         at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

/// The position of the bracket that closes the one at `open`; the last character if
/// none does.
std::size_t matching(std::string_view text, std::size_t open) {
    const char opens = text[open];
    const char closes = opens == '(' ? ')' : ']';
    int depth = 0;
    for (std::size_t i = open; i < text.size(); ++i) {
        if (text[i] == opens) {
            ++depth;
        } else if (text[i] == closes && --depth == 0) {
            return i;
        }
    }
    return text.size() - 1;
}

/// Takes out the values of template parameters: ` [with T = int]`, ` [T = int]`.
void remove_template_arguments(std::string& text) {
    for (auto at = text.find(" ["); at != text.npos; at = text.find(" [", at)) {
        text.erase(at, matching(text, at + 1) - at + 1);
    }
}

/// Takes out the parameters of `<lambda(int, f(x))>`.
void shorten_lambdas(std::string& text) {
    constexpr std::string_view start = "<lambda(";
    for (auto at = text.find(start); at != text.npos; at = text.find(start, at + 1)) {
        const auto open = at + start.size() - 1;
        text.erase(open, matching(text, open) - open + 1);
    }
}

/// Takes out all parameter lists, and what follows the last one: `const`, `noexcept`.
void remove_parameters(std::string& text) {
    const auto last = text.rfind(')');
    if (last != text.npos &&
        !std::string_view(text).substr(last + 1).starts_with("::")) {
        text.resize(last + 1);
    }
    for (auto open = text.find('('); open != text.npos; open = text.find('(', open)) {
        text.erase(open, matching(text, open) - open + 1);
    }
}

/// Where the qualified name begins: after the last blank outside of angle brackets.
std::size_t name_start(std::string_view name) {
    int depth = 0;
    for (std::size_t i = name.size(); i-- > 0;) {
        if (name[i] == '>') {
            ++depth;
        } else if (name[i] == '<') {
            --depth;
        } else if (name[i] == ' ' && depth == 0) {
            return i + 1;
        }
    }
    return 0;
}

/// Where `operator` begins if the function is one; the size of `name` otherwise.
std::size_t operator_start(std::string_view name) {
    const auto at = name.rfind("operator");
    const bool begins =
        at == 0 || (at != name.npos && (name[at - 1] == ':' || name[at - 1] == ' '));
    return begins ? at : name.size();
}

}  // namespace

std::string type_name(const std::type_info& type) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> demangled(
        abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), &std::free
    );
    std::string name = demangled ? demangled.get() : type.name();
    strip(name, "anyio::detail::caused<");
    strip(name, "std::_Nested_exception<");  // libstdc++
    strip(name, "std::__nested<");           // libc++
    return name;
}

// What compilers say, for a lambda in f and for a coroutine:
//   g++      f()::<lambda(int)> [with T = int]
//   g++      void ns::f(f(std::string)::_ZN2ns1fE...Frame*)        inside the coroutine
//   clang    auto f()::(anonymous class)::operator()(int) const [T = int]
std::string function_name(std::string_view signature) {
    constexpr std::string_view call_operator = "operator()";
    std::string text(signature);
    remove_template_arguments(text);
    replace_all(text, "(anonymous class)", "<lambda>");
    replace_all(text, "(anonymous namespace)::", "");
    replace_all(text, "{anonymous}::", "");
    shorten_lambdas(text);
    replace_all(text, "<lambda>::operator()", "<lambda>");
    replace_all(text, call_operator, "operator\1");  // not a parameter list
    remove_parameters(text);
    replace_all(text, "operator\1", call_operator);
    const auto head = std::string_view(text).substr(0, operator_start(text));
    return text.substr(name_start(head));
}

}  // namespace anyio
