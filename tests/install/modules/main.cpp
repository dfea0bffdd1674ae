// SPDX-License-Identifier: MIT
#include "../tour.hpp"

#include <cstdio>
#include <cstdlib>

#include <dlfcn.h>

anyio::task<int> service();
anyio::task<> failing_service();

namespace {

int failures = 0;

void expect(bool right, const char* what) {
    if (!right) {
        std::fprintf(stderr, "wrong: %s\n", what);
        ++failures;
    }
}

anyio::task<> main_task() {
    const int own = co_await tour::visit();
    expect(own == 6, "the program's own code");
    const int theirs = co_await service();
    expect(theirs == 6, "a linked library's code");

    bool caught = false;
    try {
        co_await failing_service();
    } catch (const anyio::closed_resource_error&) {
        caught = true;
    }
    expect(caught, "an error of a linked library is caught by its type");

    for (const char* const path : {PLUGIN_ONE, PLUGIN_TWO}) {
        void* const plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (!plugin)
            std::fprintf(stderr, "%s\n", dlerror());
        expect(plugin, path);
        const auto start = reinterpret_cast<void (*)(anyio::task_group&, int*)>(
            dlsym(plugin, "plugin_start")
        );
        int right = 0;
        co_await anyio::with(anyio::create_task_group(), [&](anyio::task_group& group) {
            start(group, &right);
        });
        expect(right == 6, "a loaded plug-in's child in a group of the program");
    }
}

}  // namespace

int main() {
    anyio::run(main_task);
    expect(std::system(HOST) == 0, "plug-ins of a program that has no anyio");
    if (failures == 0)
        std::puts("hello");
    return failures;
}
