#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Look at the documentation of the public headers.

What is public and declared in a header of include/anyio, outside of detail, has a `///`
comment. A function that returns something to await says @checkpoint and @cancellation, and
it or its class says @threads. Tags stand in one order. A TODO names an issue.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parents[1]
TAGS = ["tparam", "param", "returns", "throws", "checkpoint", "cancellation", "threads",
        "concurrency", "allocates", "complexity", "anyio", "see", "example"]
AWAITED = re.compile(r"(?:^|\s)(?:[\w:]*(?:_operation|_wait|_await)(?:<[^;]*?>)?|(?:anyio::)?task<.*?>)"
                     r"\s+(\w+)\(", re.S)
TYPE = re.compile(r"^(?:template\s*<.*>\s*)?(?:class|struct|concept|enum class)\s+"
                  r"(?:\[\[.*?\]\]\s*)?(?:ANYIO_\w+\s+)?(\w+)", re.S)
CONTAINER = re.compile(r"(?:template\s*<.*>\s*)?(?:inline\s+)?"
                       r"(namespace|class|struct|union|enum|extern)\b[^()]*\{$", re.S)


LITERAL = re.compile(r'R"\w*\(.*?\)\w*"|"(?:\\.|[^"\\])*"|\B\'(?:\\.|[^\'\\])+\'')


class Lost(Exception):
    """What was read is not what the compiler reads: its braces do not match."""


def declarations(lines):
    """What is public, with the lines of the /// before it and the number of its first line."""
    visible = [True]  # for each open brace: may users see what is inside?
    comment, statement, first, in_macro = [], "", 0, False
    for number, line in enumerate(lines, 1):
        text = line.strip()
        in_macro, skip = text.endswith("\\") and (in_macro or text.startswith("#")), in_macro
        if not text.startswith("//"):
            text = LITERAL.sub('""', text).split("//")[0].strip()
            if not text and line.strip() or skip:  # ended by a comment, or part of a macro
                continue
        if text.startswith("///"):
            comment.append(text[3:].strip())
        elif text in ("public:", "private:", "protected:"):
            visible[-1] = text == "public:"
            comment = []
        elif not text or text.startswith(("//", "#")):
            comment = comment if statement else []
        else:
            first = first or number
            statement = f"{statement} {text}".strip()
            if not text.endswith((";", "{", "}")) and "{" not in text:
                continue
            if all(visible) and not text.startswith("}"):
                yield first, comment, statement
            depth = statement.count("{") - statement.count("}")
            bare = re.sub(r"\[\[.*?\]\]", "", statement)
            container = CONTAINER.match(bare)
            public = bool(container) and container[1] != "class" and "detail" not in bare
            visible += [public] * depth
            if len(visible) + min(depth, 0) < 1:
                raise Lost(f"line {number}: a brace too many is closed")
            del visible[len(visible) + min(depth, 0):]
            comment, statement, first = [], "", 0
    if len(visible) != 1 or statement:
        raise Lost(f"at its end {len(visible) - 1} braces are open; unfinished: \"{statement}\"")


def problems_of(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    whole = "\n".join(lines)
    for number, line in enumerate(lines, 1):
        if "TODO" in line and not re.search(r"TODO\(#\d+\)", line):
            yield number, "a TODO without an issue"
    try:
        found = list(declarations(lines))
    except Lost as lost:
        yield 1, f"check_docs.py has lost its place: {lost}"
        return
    for number, comment, statement in found:
        tags = [m[1] for line in comment if (m := re.match(r"@(\w+)", line))]
        for tag in tags:
            if tag not in TAGS and tag != "file":
                yield number, f"unknown tag @{tag}"
        known = [TAGS.index(tag) for tag in tags if tag in TAGS]
        if known != sorted(known):
            yield number, f"tags out of order: {' '.join('@' + tag for tag in tags)}"
        if kind := TYPE.match(statement):
            if not comment and statement.endswith("{"):
                yield number, f"{kind[1]}: no comment"
            continue
        if not (function := AWAITED.search(statement)) or "=" in statement.split("(")[0]:
            continue
        missing = [f"@{tag}" for tag in ("checkpoint", "cancellation") if tag not in tags]
        if "@threads" not in whole:
            missing.append("@threads")
        if missing:
            yield number, f"{function[1]}: no {' '.join(missing)}"


def main():
    count = 0
    for path in sorted((ROOT / "include" / "anyio").rglob("*.hpp")):
        if "detail" in path.parts:
            continue
        for number, problem in problems_of(path):
            print(f"{path.relative_to(ROOT)}:{number}: {problem}")
            count += 1
    sys.exit(1 if count else 0)


if __name__ == "__main__":
    main()
