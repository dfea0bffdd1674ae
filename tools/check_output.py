#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run a program and compare what it prints with the `// Output:` block of its source.

The block is the end of the source: a line `// Output:`, then the lines of the output, each
behind `// `. The line `// ...` stands for any number of lines. The program must exit with 0.
"""
import argparse
import difflib
import re
import subprocess
import sys


def expected_lines(source: str) -> list[str]:
    with open(source, encoding="utf-8") as file:
        lines = file.read().rstrip().splitlines()
    try:
        start = len(lines) - lines[::-1].index("// Output:")
    except ValueError:
        sys.exit(f"{source}:1: no line `// Output:`")
    for number, line in enumerate(lines[start:], start + 1):
        if not (line == "//" or line.startswith("// ")):
            sys.exit(f"{source}:{number}: the `// Output:` block must end the file")
    return [line[3:].rstrip() for line in lines[start:]]


def matches(expected: list[str], printed: list[str]) -> bool:
    pattern = "".join(
        "(?:.*\n)*?" if line == "..." else re.escape(line) + "\n" for line in expected
    )
    return re.fullmatch(pattern, "".join(line + "\n" for line in printed)) is not None


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source")
    parser.add_argument("program", nargs=argparse.REMAINDER, help="the program and its arguments")
    arguments = parser.parse_args()

    expected = expected_lines(arguments.source)
    result = subprocess.run(
        arguments.program,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    printed = [line.rstrip() for line in result.stdout.splitlines()]
    if not matches(expected, printed):
        print(f"{arguments.source}: the program prints something else")
        difference = difflib.unified_diff(expected, printed, "expected", "printed", lineterm="")
        print("\n".join(difference))
        return 1
    if result.returncode != 0:
        print(f"{arguments.source}: the program exits with {result.returncode}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
