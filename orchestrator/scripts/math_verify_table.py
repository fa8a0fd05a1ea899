"""The stand-in for `math_verify` beside the package: `math_verify_table.py PROGRAM DATA`, in an environment with math_verify_table_requirements.txt.

PROGRAM is reward-search, DATA the folder with hardverify.dev.jsonl and mathverify_tests.jsonl. The same reward file is scored by both on the same pairs
(both sides in `\\boxed{}`). Prints, for each set, how many verdicts are equal, how many of each agree with the label, and CPU seconds.
"""

import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

REWARD = """from math_verify import parse, verify


def boxed(completions, answer, **kwargs):
    return [float(verify(parse("\\\\boxed{" + a + "}"), parse(c))) for c, a in zip(completions, answer)]
"""


def ours(program, folder, rows):
    reward, samples = folder / "boxed.py", folder / "samples.jsonl"
    reward.write_text(REWARD)
    samples.write_text("".join(json.dumps({"completion": "\\boxed{%s}" % r["answer"], "answer": r["reference"]}) + "\n" for r in rows))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([program, "score", reward, "--samples", samples], check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    scores = [json.loads(line)["score"] == 1.0 for line in done.stdout.splitlines()]
    return scores, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def theirs(rows):
    import logging

    logging.disable(logging.CRITICAL)
    namespace = {}
    exec(REWARD, namespace)
    namespace["boxed"](["\\boxed{1}"], ["1"])  # what is loaded late is not charged
    start = time.process_time()
    verdicts = [namespace["boxed"](["\\boxed{%s}" % r["answer"]], [r["reference"]])[0] == 1.0 for r in rows]
    return verdicts, time.process_time() - start


def main():
    program, data = sys.argv[1], pathlib.Path(sys.argv[2])
    for name in ("hardverify.dev.jsonl", "mathverify_tests.jsonl"):
        rows = [json.loads(line) for line in (data / name).read_text(encoding="utf-8").splitlines() if line]
        with tempfile.TemporaryDirectory() as folder:
            (mine, cpu), (other, their_cpu) = ours(program, pathlib.Path(folder), rows), theirs(rows)
        labels = [row["label"] for row in rows]
        right = [sum(a == b for a, b in zip(verdicts, labels)) for verdicts in (mine, other)]
        print(f"{name}: {len(rows)} pairs, {sum(a == b for a, b in zip(mine, other))} verdicts equal; as labelled: ours {right[0]}, theirs {right[1]}")
        worse = [(a, b) for a, b in zip(mine, other)]
        print(f"  where they differ ours agrees with the label {sum(m == l for (m, o), l in zip(worse, labels) if m != o)} times, theirs {sum(o == l for (m, o), l in zip(worse, labels) if m != o)}")
        print(f"  CPU seconds: ours {cpu:.2f} with the start of the program, theirs {their_cpu:.2f} without imports")
        if os.environ.get("SHOW"):
            for (mine_one, other_one), row in zip(worse, rows):
                if mine_one != other_one and mine_one != row["label"]:
                    print("   ", json.dumps([row["reference"], row["answer"], row["label"]], ensure_ascii=False))


if __name__ == "__main__":
    main()
