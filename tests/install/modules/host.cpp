// SPDX-License-Identifier: MIT
#include <initializer_list>

#include <dlfcn.h>

int main() {
    for (const char* const path : {PLUGIN_ONE, PLUGIN_TWO}) {
        void* const plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (!plugin)
            return 1;
        const auto run = reinterpret_cast<int (*)()>(dlsym(plugin, "plugin_run"));
        if (!run || run() != 6)
            return 2;
    }
    return 0;
}
