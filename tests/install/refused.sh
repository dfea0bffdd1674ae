#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: refused.sh FOLDER LIBRARY, with CXX set: programs that do not agree with the library
# that they link are refused in words.
set -u
here=$(dirname "$0")
root=$here/../..
cd "$1" || exit 1
flags="-std=c++20 -I$root/include"
status=0

# expect <words> <command>...: it fails, and says so.
expect() {
    words=$1
    shift
    if said=$("$@" 2>&1); then
        echo "not refused: $*"
        status=1
    elif ! printf '%s' "$said" | grep -q "$words"; then
        printf 'does not say "%s": %s\n%s\n' "$words" "$*" "$said"
        status=1
    fi
}

# What a library built with the address sanitizer has of frames; the rest is as in any other.
"$CXX" $flags -I"$root/src" -fsanitize=address -c "$root/src/lowlevel/frame_memory.cpp" \
    -o sanitized_library.o || exit 1
cat >blocks.cpp <<'TEXT'
#include <anyio/lowlevel/frame_memory.hpp>
int main() { anyio::lowlevel::free_block(anyio::lowlevel::allocate_block(100), 100); }
TEXT
"$CXX" $flags -c blocks.cpp -o plain_program.o || exit 1
expect needs_anyio_built_without_GLIBCXX_DEBUG_and_without_sanitizer \
    "$CXX" -fsanitize=address plain_program.o sanitized_library.o -o refused
"$CXX" $flags -fsanitize=address blocks.cpp sanitized_library.o -o accepted && ./accepted || status=1

expect needs_anyio_built_with_GLIBCXX_DEBUG \
    "$CXX" $flags -D_GLIBCXX_DEBUG "$here/hello.cpp" "$2" -o refused
expect needs_anyio_built_with_GLIBCXX_DEBUG \
    "$CXX" $flags -D_GLIBCXX_DEBUG -fsanitize=address "$here/hello.cpp" "$2" -o refused

expect "anyio needs exceptions" "$CXX" $flags -fno-exceptions -fsyntax-only "$here/hello.cpp"
expect "anyio needs run-time type" "$CXX" $flags -fno-rtti -fsyntax-only "$here/hello.cpp"
expect "anyio needs the C++11 ABI" \
    "$CXX" $flags -D_GLIBCXX_USE_CXX11_ABI=0 -fsyntax-only "$here/hello.cpp"
exit $status
