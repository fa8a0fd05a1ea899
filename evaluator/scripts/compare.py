"""Runs our binaries and theirs in turn and prints a table: `compare.py DATA BINARIES ROUNDS`.

Times are CPU seconds of the process (user and system), the least of all rounds. Ours are taken from outside as the
difference between many repetitions and none, so that starting and reading the data are not charged; theirs are
taken inside, without imports.
"""

import json
import pathlib
import resource
import subprocess
import sys

SETS = [
    # Name, their task, how often ours is repeated.
    ("HardVerify dev, bare", "hardverify-bare", "hardverify-bare", 200),
    ("HardVerify dev, boxed", "hardverify-boxed", "hardverify-boxed", 200),
    ("GSM8K completions", "gsm8k:1319", "gsm8k", 10),
]
INTERVALS = [
    ("percentile, 10,000 resamples", "percentile", "percentile", 200),
    ("percentile, infinitely many", "percentile", "percentile-limit", 20_000),
]


def cpu_of(command):
    """CPU seconds of a command and what it prints."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, printed


def ours(command, repeats):
    """CPU seconds of one repetition, and the report of the run."""
    idle, _ = cpu_of([*command, "1"])
    busy, printed = cpu_of([*command, str(repeats + 1)])
    return (busy - idle) / repeats, json.loads(printed)


def theirs(data, task):
    printed = cpu_of([sys.executable, str(pathlib.Path(__file__).with_name("theirs.py")), data, task])[1]
    return json.loads(printed)


def main():
    data, binaries, rounds = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
    verify, interval = str(binaries / "verify_speed"), str(binaries / "interval_speed")

    print("| verdicts | Math-Verify, ms each | ours, us each | ratio | ours p99, us | ours max, us | accepted: theirs, ours |")
    print("|---|---|---|---|---|---|---|")
    for name, their_task, our_set, repeats in SETS:
        their_best, our_best, p99, largest = float("inf"), float("inf"), float("inf"), float("inf")
        for _ in range(rounds):
            seconds, report = ours([verify, data, our_set], repeats)
            our_best = min(our_best, seconds / report["pairs"])
            p99, largest = min(p99, report["p99_us"]), min(largest, report["max_us"])
            their = theirs(data, their_task)
            their_best = min(their_best, their["seconds"] / their["done"])
        print(
            f"| {name} | {their_best * 1e3:.3f} | {our_best * 1e6:.2f} | {their_best / our_best:.0f}x | {p99:.1f} | {largest:.1f} "
            f"| {their['accepted']} of {their['done']}, {report['accepted']} of {report['pairs']} |",
            flush=True,
        )
    _, report = cpu_of([verify, data, "hostile", str(rounds)])
    print(f"\nWorst hostile completion: {json.loads(report)['max_us'] / 1e3:.1f} ms (reading the reference included).\n")

    print("| interval for 742 of 1,319 | SciPy, ms | ours, us | ratio | ours |")
    print("|---|---|---|---|---|")
    for name, their_task, our_method, repeats in INTERVALS:
        their_best, our_best = float("inf"), float("inf")
        for _ in range(rounds):
            seconds, bounds = ours([interval, our_method], repeats)
            our_best = min(our_best, seconds)
            their_best = min(their_best, theirs(data, their_task)["seconds"])
        print(
            f"| {name} | {their_best * 1e3:.1f} | {our_best * 1e6:.1f} | {their_best / our_best:.0f}x "
            f"| [{bounds['lower']:.5f}, {bounds['upper']:.5f}] |",
            flush=True,
        )


if __name__ == "__main__":
    main()
