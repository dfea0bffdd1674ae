#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: build_and_run.sh FOLDER_FOR_THE_PROGRAMS [anyio-tls], with CXX and PKG_CONFIG_PATH set.
set -eu
here=$(dirname "$0")

# build_and_run <source> <folder> <package>. The run path matters to a shared library only.
build_and_run() {
    # shellcheck disable=SC2046 # flags are words
    "$CXX" -std=c++20 "$here/../$1" -o "$2/hello" \
        $(pkg-config --cflags --libs "$3") "-Wl,-rpath,$(pkg-config --variable=libdir "$3")"
    "$2/hello"
}

build_and_run hello.cpp "$1" anyio
if [ "${2-}" ]; then build_and_run tls_hello.cpp "$1" "$2"; fi
