#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compare anyio with the raw baselines, interleaved in one run, and print the ratios.

Every case runs once per repetition on each side, pinned to core 0; the load generator of
the echo cases has core 1. A cell is the median, with the spread (largest minus smallest,
as a share of the median) behind it. The ratio is the median of the ratios of the
repetitions, in each of which both sides ran one after the other, with the middle half of
them behind it: what slows the machine for a while slows both. A verdict is about the ratio
alone: absolute figures differ from machine to machine. A case that one side lacks, or that
has no target, shows -.
"""

import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys

# Ours divided by raw, as docs/design has it. The values divided are nanoseconds, for M7 bytes,
# for M8 CPU microseconds of the server per request, or per 16 KiB of a stream, and for the
# latencies microseconds.
TARGETS = {
    "M1_spawn_join": 1.7, "M2_awaited_call": 1.1,
    "M3y_yield_switch": 1.5, "M3e_event_switch": 2.3,
    "M4_channel_0": 3.5, "M4_channel_1": 1.3, "M4_channel_64": 1.15,
    "M5_timeout_suspending": 1.25, "M5_timeout_ready": 0.4, "M5s_sleepers": 1.3,
    "M6_cancel_deep10": 1.5, "M6_cancel_deep1": 6,
    "M7_sleep_bytes": 1.5, "M7_receive_bytes": 1.3, "M7_idle_connection": 2.0,
    "M8_echo_64": 1.01, "M8_echo_512": 1.01, "M8_stream_16k": 1.0,
    "M8_echo_64_uring": 0.96, "M8_echo_512_uring": 0.96, "M8_stream_16k_uring": 1.0,
    "M8_latency": 1.0, "M8_latency_uring": 1.0,
    "M8_latency_busy": 1.05, "M8_latency_busy_uring": 1.05,
}
CORE = {
    "raw": ["bench_raw_core_raw_bench", "bench_raw_idle_raw_bench",
            "bench_raw_datagram_raw_bench", "bench_raw_tls_raw_bench"],
    "ours": ["anyio_core_bench", "anyio_streams_bench", "anyio_networking_bench",
             "anyio_tls_bench"],
}
SERVER = {"raw": "bench_raw_echo_epoll_raw", "ours": "anyio_echo_server"}
LOAD = "bench_raw_echo_load"
# The arguments of the raw server and of the load generator, and what is compared. Ours runs
# twice: on epoll, and on io_uring as <case>_uring.
ECHO = {
    "M8_echo_64": (["--mode", "edge"], ["--connections", "64"], "server_cpu_us_per_request"),
    "M8_echo_512": (["--mode", "edge"], ["--connections", "512"], "server_cpu_us_per_request"),
    "M8_stream_16k": (["--mode", "tryfirst"], ["--stream"], "server_cpu_us_per_request"),
    "M8_latency": (["--mode", "edge"], ["--connections", "1"], "p50_us"),
    "M8_latency_busy": (["--mode", "edge", "--busy", "1"], ["--connections", "1"], "p50_us"),
}


def pinned(core, *command):
    return ["taskset", "-c", str(core), *map(str, command)]


def core_cases(executable, options):
    """One round of a Google Benchmark executable: {case: ns or bytes per unit}."""
    listed = subprocess.run([executable, "--benchmark_list_tests"], capture_output=True,
                            text=True, timeout=60, check=True).stdout.split()
    chosen = [case for case in listed if re.search(options.filter, case)]
    # Memory that one case leaves in the recycler would be missing from another's count.
    alone = [case for case in chosen if case.startswith("M7")]
    found = {}
    for cases in [[case for case in chosen if case not in alone], *([case] for case in alone)]:
        found |= some_cases(executable, cases, options)
    return found


def some_cases(executable, cases, options):
    choice = [f"--benchmark_filter=^({'|'.join(cases)})$",
              f"--benchmark_min_time={options.min_time}"]
    command = pinned(0, executable, "--benchmark_format=json", *choice)
    run = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if run.returncode != 0:
        sys.exit(f"run {executable}: exit status {run.returncode}\n{run.stderr}")
    found = {}
    # Without a matching case, Google Benchmark prints no JSON.
    for case in json.loads(run.stdout)["benchmarks"] if run.stdout.startswith("{") else []:
        name = case["name"].split("/")[0]
        if case.get("error_occurred"):
            print(f"{executable.name}: {name}: {case['error_message']}", file=sys.stderr)
        elif "bytes" in case:
            found[name] = case["bytes"]
        elif "items_per_second" in case:
            found[name] = 1e9 / case["items_per_second"]
    return found


def echo_case(server, how, load, arguments, options):
    """Start a server, load it, and return what the load generator has measured."""
    command = pinned(0, server, "--port", 0, *how)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            numbers = re.findall(r"\d+", process.stdout.readline())
            if not numbers:
                sys.exit(f"run {server}: it printed no port")
            target = ["--port", numbers[-1], "--pid", process.pid]
            command = pinned(1, load, *target, "--seconds", options.seconds, *arguments)
            run = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
        finally:
            process.terminate()
            try:
                process.communicate(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
    if run.returncode != 0:
        sys.exit(f"load {server}: {run.stderr}")
    return json.loads(run.stdout)


def echo_cases(folder, sides, options):
    """One round of all echo cases: tuples of case, side and value."""
    load = folder / LOAD
    for case, (raw, arguments, measured) in ECHO.items():
        busy = ["--busy", "1"] if "--busy" in raw else []
        ways = {case: "epoll", case + "_uring": "io_uring"}
        chosen = {name: backend for name, backend in ways.items()
                  if re.search(options.filter, name)}
        for side in sides if chosen and load.exists() else []:
            if side == "raw":
                value = echo_case(folder / SERVER[side], raw, load, arguments, options)[measured]
                yield from ((name, side, value) for name in chosen)
                continue
            for name, backend in chosen.items():
                how = ["--backend", backend, *busy]
                yield name, side, echo_case(
                    folder / SERVER[side], how, load, arguments, options)[measured]


def measure(options):
    """All values: {case: {"raw": [...], "ours": [...]}}."""
    values = {}

    def keep(case, side, value):
        values.setdefault(case, {"raw": [], "ours": []})[side].append(value)

    folder = options.build / "bench"
    for repetition in range(options.reps):
        sides = ["raw", "ours"] if repetition % 2 == 0 else ["ours", "raw"]
        for side in sides:
            for executable in (folder / name for name in CORE[side]):
                if executable.exists():
                    for case, value in core_cases(executable, options).items():
                        keep(case, side, value)
        for found in echo_cases(folder, sides, options):
            keep(*found)
    for case, sides in values.items():
        if not sides["raw"]:  # the same raw program stands beside both backends
            sides["raw"] = values.get(case.removesuffix("_uring"), sides)["raw"]
    return values


def paired_ratios(sides):
    """Ours by raw in each repetition."""
    if len(sides["raw"]) != len(sides["ours"]):
        return []
    return [ours / raw for raw, ours in zip(sides["raw"], sides["ours"]) if raw]


def row(case, sides):
    cells = []
    for values in (sides["raw"], sides["ours"]):
        if not values:
            cells.append(f"{'-':>15}")
            continue
        middle = statistics.median(values)
        spread = (max(values) - min(values)) / middle if middle else 0
        cells.append(f"{middle:9.2f} ±{spread:4.0%}")
    target = TARGETS.get(case)
    ratios = paired_ratios(sides)
    ratio = statistics.median(ratios) if ratios else None
    verdict = "-" if None in (ratio, target) else "ok" if ratio <= target else "over"
    shown = [f"{number:6.2f}" if number is not None else f"{'-':>6}" for number in (ratio, target)]
    if len(ratios) > 1:
        low, _, high = statistics.quantiles(ratios, n=4, method="inclusive")
        shown.insert(1, f"{low:5.2f}-{high:<5.2f}")
    else:
        shown.insert(1, " " * 11)
    return f"{case:<22} {' '.join(cells)} {' '.join(shown)}  {verdict}", ratio, verdict


def main():
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("filter", nargs="?", default=".", help="regular expression of case names")
    parser.add_argument("--build", type=pathlib.Path, help="default: build/release")
    parser.add_argument("--reps", type=int, default=5, help="repetitions (default 5)")
    parser.add_argument("--min-time", type=float, default=0.1, help="seconds per core case")
    parser.add_argument("--seconds", type=float, default=1, help="seconds per echo case")
    parser.add_argument("--json", type=pathlib.Path, help="also write all values to this file")
    options = parser.parse_args()
    options.build = options.build or pathlib.Path(__file__).parents[1] / "build" / "release"
    values = measure(options)
    if not values:
        sys.exit(f"measure {options.build}/bench: no such case, or nothing is built")
    results = {}
    print(f"{'case':<22} {'raw':>15} {'ours':>15} {'ratio':>6} {'middle half':>11} "
          f"{'target':>6}  verdict")
    for case in sorted(values):
        line, ratio, verdict = row(case, values[case])
        results[case] = values[case] | {"ratio": ratio, "verdict": verdict}
        print(line)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
