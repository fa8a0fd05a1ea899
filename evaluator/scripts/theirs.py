"""Math-Verify's and SciPy's side of the comparison: `theirs.py DATA TASK`.

TASK is hardverify-bare, hardverify-boxed, gsm8k:N (the first N completions of each model) or percentile.
Prints one line of JSON: CPU seconds without imports and reading, units of work done, and pairs accepted.
"""

import json
import pathlib
import sys
import time

MODELS = ["6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"]
QUESTIONS, RIGHT = 1319, 742


def rows(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def pairs(data, task):
    if task.startswith("hardverify"):
        wrap = "\\boxed{%s}" if task.endswith("boxed") else "%s"
        for row in rows(data / "verification" / "hardverify.dev.jsonl"):
            yield wrap % row["reference"], wrap % row["answer"]
        return
    count = int(task.split(":")[1])
    for row in rows(data / "gsm8k" / "example_model_solutions.jsonl")[:count]:
        gold = row["ground_truth"].rsplit("A:", 1)[1].strip()
        for model in MODELS:
            yield gold, row[model]["solution"]


def verdicts(data, task):
    import logging

    from math_verify import parse, verify

    logging.disable(logging.CRITICAL)
    work = list(pairs(data, task))
    verify(parse("$1$"), parse("$1$"))  # what is loaded late is not charged
    start = time.process_time()
    accepted = sum(bool(verify(parse(gold), parse(given))) for gold, given in work)
    return time.process_time() - start, len(work), accepted


def interval():
    import numpy
    from scipy.stats import bootstrap

    outcomes = numpy.repeat([1.0, 0.0], [RIGHT, QUESTIONS - RIGHT])
    start = time.process_time()
    result = bootstrap((outcomes,), numpy.mean, n_resamples=10_000, method="percentile", rng=3407, vectorized=True)
    seconds = time.process_time() - start
    print(f"percentile: {result.confidence_interval}", file=sys.stderr)
    return seconds, 1, 0


def main():
    data, task = pathlib.Path(sys.argv[1]), sys.argv[2]
    is_interval = task == "percentile"
    seconds, done, accepted = interval() if is_interval else verdicts(data, task)
    print(json.dumps({"seconds": seconds, "done": done, "accepted": accepted}))


if __name__ == "__main__":
    main()
