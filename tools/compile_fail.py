#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that a misuse does not compile, and that the compiler says why.

The source begins with comment lines, each of which must hold:
    // EXPECT: <regex>          found in what any compiler prints
    // EXPECT-GCC: <regex>      the same for g++ only
    // EXPECT-CLANG: <regex>    the same for clang only
    // ONLY: gcc|clang          other compilers skip this file
Warnings are errors here, so a forgotten [[nodiscard]] counts as a misuse too.
"""
import argparse
import os
import re
import subprocess
import sys

DIRECTIVE = re.compile(r"// (EXPECT|EXPECT-GCC|EXPECT-CLANG|ONLY): (.+)")
# The source line must not be printed: it may hold the very sentence we look for.
NO_CARET = {"gcc": "-fno-diagnostics-show-caret", "clang": "-fno-caret-diagnostics"}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source")
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--family", required=True, choices=["gcc", "clang"])
    parser.add_argument("--include", action="append", default=[], metavar="FOLDER")
    arguments = parser.parse_args()

    directives = []
    with open(arguments.source, encoding="utf-8") as lines:
        for line in lines:
            if not line.startswith("//"):
                break
            if found := DIRECTIVE.match(line.rstrip()):
                directives.append(found.groups())
    if any(kind == "ONLY" and value != arguments.family for kind, value in directives):
        print(f"not for {arguments.family}")
        return 0
    wanted = ("EXPECT", f"EXPECT-{arguments.family.upper()}")
    expected = [value for kind, value in directives if kind in wanted]
    if not expected:
        print(f"{arguments.source}:1: no `// EXPECT: <regex>` for {arguments.family} at the top")
        return 1

    command = [arguments.compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror"]
    command += [NO_CARET[arguments.family], *(f"-I{folder}" for folder in arguments.include)]
    result = subprocess.run(
        [*command, arguments.source],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=os.environ | {"LC_ALL": "C"},  # messages in English, quotes in ASCII
    )
    said = result.stdout
    problems = [f"not said: {regex}" for regex in expected if not re.search(regex, said)]
    if result.returncode == 0:
        problems = ["it compiles"]
    elif "internal compiler error" in said:
        problems = ["the compiler crashed"]
    for problem in problems:
        print(f"{arguments.source}:1: {problem}")
    if problems:
        print(f"the compiler said:\n{said}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
