"""The stand-in for `math_verify` beside the package: `math_verify_table.py PROGRAM DATA`, in an environment with math_verify_table_requirements.txt.

PROGRAM is reward-search, DATA the folder with hardverify.dev.jsonl and mathverify_tests.jsonl. The same reward file is scored by both on the same pairs.
Both sides of HardVerify's bare answers are put into `\\boxed{}`; the texts of Math-Verify's own tests are parsed as they are, with the extraction that the
test asks for. Prints, for each set, how many verdicts are equal, how many of each agree with the label, and CPU seconds. `SHOW=1` lists the pairs
that the stand-in judges otherwise than labelled.
"""

import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

REWARD = """from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse, verify

CONFIGS = {
    "latex": [LatexExtractionConfig()],
    "expr": [ExprExtractionConfig()],
    "both": [LatexExtractionConfig(), ExprExtractionConfig()],
}


def found(text, how):
    if how == "boxed":
        return parse("\\\\boxed{" + text + "}")
    return parse(text) if how == "default" else parse(text, CONFIGS[how])


def judged(completions, answer, how, **kwargs):
    return [float(verify(found(a, h), found(c, h))) for c, a, h in zip(completions, answer, how)]
"""
SETS = ("hardverify.dev.jsonl", "mathverify_tests.jsonl")


def way(row):
    """How a row's texts are parsed."""
    kinds = row.get("match_types")
    return "boxed" if kinds is None else "both" if len(kinds) == 2 else kinds[0]


def ours(program, folder, rows):
    reward, samples = folder / "judged.py", folder / "samples.jsonl"
    reward.write_text(REWARD)
    samples.write_text("".join(json.dumps({"completion": r["answer"], "answer": r["reference"], "how": way(r)}) + "\n" for r in rows))
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
    judged = namespace["judged"]
    judged(["\\boxed{1}"], ["1"], ["both"])  # what is loaded late is not charged
    start = time.process_time()
    verdicts = [judged([r["answer"]], [r["reference"]], [way(r)])[0] == 1.0 for r in rows]
    return verdicts, time.process_time() - start


def main():
    program, data = sys.argv[1], pathlib.Path(sys.argv[2])
    for name in SETS:
        rows = [json.loads(line) for line in (data / name).read_text(encoding="utf-8").splitlines() if line]
        with tempfile.TemporaryDirectory() as folder:
            (mine, cpu), (other, their_cpu) = ours(program, pathlib.Path(folder), rows), theirs(rows)
        labels = [row["label"] for row in rows]
        right = [sum(a == b for a, b in zip(verdicts, labels)) for verdicts in (mine, other)]
        print(f"{name}: {len(rows)} pairs, {sum(a == b for a, b in zip(mine, other))} verdicts equal; as labelled: ours {right[0]}, theirs {right[1]}")
        apart = [(m == label, o == label) for m, o, label in zip(mine, other, labels) if m != o]
        print(f"  where they differ ours agrees with the label {sum(m for m, _ in apart)} times, theirs {sum(o for _, o in apart)}")
        print(f"  CPU seconds: ours {cpu:.2f} with the start of the program, theirs {their_cpu:.2f} without imports")
        if os.environ.get("SHOW"):
            for mine_one, other_one, row in zip(mine, other, rows):
                if mine_one != row["label"]:
                    sides = "both" if other_one == mine_one else "ours"
                    print("   ", sides, json.dumps([row["id"], way(row), row["reference"], row["answer"], row["label"]], ensure_ascii=False))


if __name__ == "__main__":
    main()
