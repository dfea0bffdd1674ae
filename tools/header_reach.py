#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check what including one public header costs in our own headers and lines.

The budgets stand in tools/layers.toml under [[reach]]. Prints what is over budget; with
--table every header, the dearest last.
"""
import argparse
import sys
import tomllib
from pathlib import Path

from check_layers import SourceFile, load


def reach(path: str, files: dict[str, SourceFile]) -> set[str]:
    """The headers that including `path` reads, itself among them."""
    seen, todo = set(), [path]
    while todo:
        if (path := todo.pop()) in files and path not in seen:
            seen.add(path)
            todo += [target for _, _, target in files[path].includes]
    return seen


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    here = Path(__file__).resolve().parent.parent
    parser.add_argument("root", nargs="?", type=Path, default=here)
    parser.add_argument("--table", action="store_true", help="print every header")
    arguments = parser.parse_args()
    rules = tomllib.loads((arguments.root / "tools/layers.toml").read_text(encoding="utf-8"))
    headers = {path: file for path, file in load(arguments.root).items() if file.public}

    rows, problems = [], 0
    for path, file in headers.items():
        pulled = reach(path, headers)
        sizes = {"lines": sum(len(headers[p].lines) for p in pulled), "headers": len(pulled)}
        rows.append((sizes["lines"], sizes["headers"], path))
        layer = rules["layers"].get(file.chapter, 0)
        budget = next(b for b in rules["reach"] if layer <= b["up_to_layer"])
        for what, size in sizes.items():
            if size > (limit := budget.get(f"{what}_fail", size)):
                problems += 1
                print(f"{path}:1: reaches {size} {what}, over {limit}")
            elif size > (limit := budget.get(f"{what}_warn", size)):
                print(f"{path}:1: warning: reaches {size} {what}, over {limit}")
    if arguments.table:
        print("  lines  headers")
        for lines, count, path in sorted(rows):
            print(f"{lines:7} {count:8}  {path.removeprefix('include/')}")
    print(f"reach: {len(rows)} headers, {problems} over budget")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
