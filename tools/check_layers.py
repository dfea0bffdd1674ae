#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check the shape of the house.

Chapters include downwards only, detail/ is private to its chapter, public headers include
nothing foreign, no file includes itself in a circle, files keep to their size, headers have
`#pragma once` and an SPDX line. Numbers and exceptions stand in tools/layers.toml.
"""
import argparse
import re
import sys
import tomllib
from collections import Counter
from fnmatch import fnmatch
from pathlib import Path

INCLUDE = re.compile(r'\s*#\s*include\s*([<"][^>"]+[>"])')
OURS = ("include/anyio", "src", "tests", "bench", "examples", "tools")


class SourceFile:
    """One file: `path` from the root, its lines, and its includes as (line, <x> or "x", path).

    The path of an include is empty if it is not ours.
    """

    def __init__(self, root: Path, path: str):
        self.path = path
        self.lines = (root / path).read_text(encoding="utf-8").splitlines()
        self.public = path.startswith("include/")
        self.library = self.public or path.startswith("src/")
        parts = path.split("/")[2 if self.public else 1 :]
        self.chapter = parts[0]
        self.private = "detail" in parts[1:-1]
        self.includes = []
        for number, line in enumerate(self.lines, 1):
            if found := INCLUDE.match(line):
                self.includes.append((number, found[1], self.resolve(root, found[1])))

    def resolve(self, root: Path, spelling: str) -> str:
        folders = ["include"] if spelling[0] == "<" else [Path(self.path).parent, "src", "include"]
        candidates = (Path(folder) / spelling[1:-1] for folder in folders)
        return next((c.as_posix() for c in candidates if (root / c).is_file()), "")


def load(root: Path) -> dict[str, SourceFile]:
    paths = (p.relative_to(root).as_posix() for top in OURS for p in (root / top).rglob("*.*"))
    return {p: SourceFile(root, p) for p in sorted(paths) if p.endswith((".hpp", ".cpp", ".py"))}


def check_includes(file: SourceFile, files: dict, rules: dict):
    """Yield (line, message) for each include of a library file that is not allowed."""
    layers = rules["layers"]
    if file.chapter not in layers:
        yield 1, f"'{file.chapter}' is no chapter of tools/layers.toml"
        return
    layer = layers[file.chapter]
    for line, spelling, path in file.includes:
        target, name = files.get(path), spelling[1:-1]
        if target is None:
            if name.startswith("anyio/"):
                yield line, f"{spelling} does not exist"
            elif file.public and not is_allowed(file, name, rules):
                yield line, f"{spelling} must not reach users; move it to src/"
        elif file.public and not (target.public and spelling[0] == "<"):
            yield line, f"public headers include public headers, as <anyio/...>; not {spelling}"
        elif target.chapter == file.chapter:
            continue
        elif layers.get(target.chapter, 99) >= layer:
            above = f"{target.chapter} is layer {layers.get(target.chapter, 'unknown')}"
            yield line, f"{spelling} looks up: {file.chapter} is layer {layer}, {above}"
        elif target.private:
            yield line, f"{spelling} is private to {target.chapter}"


def is_allowed(file: SourceFile, name: str, rules: dict) -> bool:
    """Whether `name` is of the standard library (no dot, no slash) or an exception."""
    return not re.search(r"[./]", name) or any(
        fnmatch(file.path, files) and fnmatch(name, exception)
        for files, exceptions in rules["foreign"].items()
        for exception in exceptions
    )


def check_head(file: SourceFile):
    if not any("SPDX-License-Identifier: MIT" in line for line in file.lines[:3]):
        yield 1, "no line `// SPDX-License-Identifier: MIT` at the top"
    if file.path.endswith(".hpp") and "#pragma once" not in file.lines:
        yield 1, "no `#pragma once`"


def check_cycles(files: dict):
    """Yield (path, 1, message) for each file that includes itself by way of others."""
    done, stack = set(), []

    def visit(path):
        if path in stack:
            yield path, 1, "includes itself: " + " -> ".join([*stack[stack.index(path) :], path])
        elif path in files and path not in done:
            stack.append(path)
            for _, _, target in files[path].includes:
                yield from visit(target)
            done.add(stack.pop())

    for path in files:
        yield from visit(path)


def check_sizes(files: dict, rules: dict):
    """Yield (path, line, message, fatal) for files too long, folders too full or too deep."""
    for file in files.values():
        size = next((s for s in rules["size"] if fnmatch(file.path, s["files"])), {})
        lines = len(file.lines)
        for limit, fatal in (("fail", True), ("warn", False)):
            if lines > size.get(limit, lines):
                message = f"{lines} lines, over {size[limit]}; split it by theme"
                yield file.path, lines, message, fatal
                break
        if file.public and file.path.count("/") - 2 > rules["folders"]["depth"]:
            yield file.path, 1, f"deeper than {rules['folders']['depth']} folders", True
    folders = Counter(Path(f.path).parent.as_posix() for f in files.values() if f.public)
    for folder, count in folders.items():
        if count > rules["folders"]["headers_warn"]:
            yield folder, 1, f"{count} headers in one folder", False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    here = Path(__file__).resolve().parent.parent
    parser.add_argument("root", nargs="?", type=Path, default=here)
    root = parser.parse_args().root
    rules = tomllib.loads((root / "tools/layers.toml").read_text(encoding="utf-8"))
    files = load(root)
    library = {path: file for path, file in files.items() if file.library}

    found = [(*cycle, True) for cycle in check_cycles(library)]
    found += check_sizes(files, rules)
    for file in library.values():
        problems = [*check_includes(file, library, rules), *check_head(file)]
        found += [(file.path, *problem, True) for problem in problems]
    for path, line, message, fatal in sorted(found):
        print(f"{path}:{line}: {'' if fatal else 'warning: '}{message}")
    fatal = sum(fatal for *_, fatal in found)
    print(f"layers: {len(library)} files, {fatal} problems, {len(found) - fatal} warnings")
    return 1 if fatal else 0


if __name__ == "__main__":
    sys.exit(main())
