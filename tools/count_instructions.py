#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Count the instructions of the hot paths and compare them with those on record.

Each case runs twice under callgrind, the second time twice as long; the difference is what
one unit costs. A count that is more than 3 % over its record in bench/instructions.toml
fails: make the path shorter again, or run with --update and say in the commit why not. The
records are those of g++ 12 at -O2; with another compiler only the counts are printed.
"""

import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib

ROOT = pathlib.Path(__file__).parents[1]
RECORD = ROOT / "bench" / "instructions.toml"
TOLERANCE = 0.03


def collected(program, case, thousands):
    with tempfile.NamedTemporaryFile() as out:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}"]
        run = subprocess.run([*command, program, case, str(thousands)],
                             capture_output=True, text=True, timeout=300, check=False)
    found = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode != 0 or not found:
        sys.exit(f"count {program} {case}: exit status {run.returncode}\n{run.stderr[-1500:]}")
    return int(found[1])


def count(program, case):
    return round((collected(program, case, 40) - collected(program, case, 20)) / 20_000)


def main():
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--update", action="store_true", help="put the counts on record")
    options = parser.parse_args()
    program = options.build / "bench" / "anyio_instructions"
    if not program.exists():
        sys.exit(f"count {program}: not built; run ./dev build release")
    record = tomllib.loads(RECORD.read_text(encoding="utf-8"))["instructions"]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        counts = dict(zip(record, pool.map(lambda case: count(program, case), record)))
    version = subprocess.run(["g++", "-dumpversion"], capture_output=True, text=True, check=False)
    comparable = version.stdout.strip() == "12"
    over = []
    for case, now in counts.items():
        change = now / record[case] - 1
        if comparable and change > TOLERANCE:
            over.append(case)
        print(f"{case:<20} {now:5} instructions, {change:+6.1%} of the record")
    if options.update:
        lines = RECORD.read_text(encoding="utf-8").splitlines()
        lines = [re.sub(r"^(\w+) = \d+", lambda m: f"{m[1]} = {counts[m[1]]}", line)
                 for line in lines]
        RECORD.write_text("\n".join(lines) + "\n", encoding="utf-8")
    elif over:
        sys.exit(f"over the record by more than {TOLERANCE:.0%}: {', '.join(over)}")


if __name__ == "__main__":
    main()
