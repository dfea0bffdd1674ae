#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: build_and_run.sh FOLDER_FOR_THE_PROGRAM, with CXX and PKG_CONFIG_PATH set.
set -eu
here=$(dirname "$0")
# shellcheck disable=SC2046 # flags are words
# The run path matters to a shared library only.
"$CXX" -std=c++20 "$here/../hello.cpp" -o "$1/hello" \
    $(pkg-config --cflags --libs anyio) "-Wl,-rpath,$(pkg-config --variable=libdir anyio)"
"$1/hello"
