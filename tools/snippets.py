#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Paste the programs of docs/snippets, which the tests run, into the manual and the README.

A block follows its marker, <!-- snippet: path -->; the licence line stays out. With --check,
nothing is written: a block that differs from its program, and a block of C++ without a
marker, is a problem.
"""

import argparse
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parents[1]
PASTED = re.compile(r"(<!-- snippet: (\S+) -->\n```cpp\n)(.*?)(^```$)", re.S | re.M)
UNMARKED = re.compile(r"(?<! -->\n)^```cpp$", re.M)
LICENCE = re.compile(r"// SPDX-License-Identifier: .*\n")


def pages():
    return [ROOT / "README.md", *sorted((ROOT / "docs" / "manual").glob("*.md"))]


def paste(match):
    program = (ROOT / match[2]).read_text(encoding="utf-8")
    return match[1] + LICENCE.sub("", program, count=1) + match[4]


def main():
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--check", action="store_true", help="only say what differs")
    check = parser.parse_args().check
    problems = 0
    for page in pages():
        text = page.read_text(encoding="utf-8")
        name = page.relative_to(ROOT)
        for block in UNMARKED.finditer(text):
            line = text.count("\n", 0, block.start()) + 1
            print(f"{name}:{line}: this program is not run; move it to docs/snippets")
            problems += 1
        pasted = PASTED.sub(paste, text)
        if pasted == text:
            continue
        if check:
            print(f"{name}: differs from docs/snippets; mend it: python3 tools/snippets.py")
            problems += 1
        else:
            page.write_text(pasted, encoding="utf-8")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
