"""Measures what the fixtures cost at worst: runs `reward-search score FIXTURE` for each, as a user would, and prints a table in Markdown.

    python3 sandbox/scripts/attack_costs.py PATH/TO/reward-search [--folder rust --folder python --folder wasm] [--top 3]

CPU time is that of the program and of all it started (rustc, the linker, the second process that makes machine code); memory is the most
that any one of them had. Where a limit ends a process, its time counts up to there. Linux and macOS; no package is needed.
"""

import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "tests" / "fixtures"
KINDS = {"rust": ".rs", "python": ".py", "wasm": ".wasm"}
SAMPLES = 100
COMPLETION = "<reasoning>\n2 + 3 = 5\n</reasoning>\n<answer>\n5\n</answer>"


def expected(path):
    """What becomes of a fixture, by its first line; modules have none."""
    if path.suffix == ".wasm":
        return "refused"
    return path.read_text().splitlines()[0].split("expect: ")[-1]


def measure(program, path, samples, folder):
    """CPU seconds, wall seconds, MiB and exit code of scoring a file in a folder of its own."""
    command = [program, "score", str(path), "--samples", str(samples)]
    started = time.monotonic()
    child = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    cpu = usage.ru_utime + usage.ru_stime
    return cpu, time.monotonic() - started, usage.ru_maxrss / unit, child.returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=lambda name: str(pathlib.Path(name).resolve()))
    parser.add_argument("--folder", action="append", choices=sorted(KINDS))
    parser.add_argument("--top", type=int, default=2, help="rows a kind, by CPU time and by memory")
    options = parser.parse_args()

    rows = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        samples = pathlib.Path(folder) / "samples.jsonl"
        row = json.dumps({"prompt": "2 + 3 ?", "completion": COMPLETION, "answer": "5"})
        samples.write_text((row + "\n") * SAMPLES)
        for kind in options.folder or KINDS:
            for path in sorted((FIXTURES / kind).glob("*" + KINDS[kind])):
                found = measure(options.program, path, samples, folder)
                rows[kind, expected(path)].append((path.stem, *found))
                print(kind, path.stem, "%.2f CPU s, %.2f s, %.0f MiB, exit %d" % found, file=sys.stderr)

    print("| language | becomes | inputs | most CPU time | most memory |")
    print("|---|---|---|---|---|")
    for (kind, becomes), all_rows in sorted(rows.items()):
        slow = max(all_rows, key=lambda row: row[1])
        large = max(all_rows, key=lambda row: row[3])
        print(f"| {kind} | {becomes} | {len(all_rows)} | {slow[1]:.1f} s ({slow[0]}) | {large[3]:.0f} MiB ({large[0]}) |")
    everything = [row for all_rows in rows.values() for row in all_rows]
    print(f"\n{len(everything)} inputs; worst {max(r[1] for r in everything):.1f} CPU s, {max(r[3] for r in everything):.0f} MiB")
    for title, column in (("CPU time", 1), ("memory", 3)):
        worst = sorted(everything, key=lambda row: -row[column])[: options.top]
        print(f"most {title}: " + ", ".join(f"{row[0]} {row[column]:.1f}" for row in worst))


if __name__ == "__main__":
    main()
