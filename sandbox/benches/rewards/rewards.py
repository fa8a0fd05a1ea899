"""The rewards of the benchmark as Python authors write them, and a worker that times them on demand.

Reads the samples as a JSON list of [prompt, completion, answer] from the file named on the command line. For each line on
standard input it scores all samples with each reward and answers with one JSON line: seconds and scores by name.
"""

import json
import re
import sys
import time


def format_tags(prompt, completion, answer):
    score = 0.0
    for tag in ("<thinking>", "</thinking>", "<solution>", "</solution>"):
        score += 0.5 if completion.count(tag) == 1 else -1.0
    if re.search(r"^\s*<thinking>.+?</thinking>.*?<solution>.+?</solution>\s*$", completion, re.DOTALL):
        score += 3.0
    return score


def closeness(prompt, completion, answer):
    match = re.search(r"<solution>\s*(-?[\d,]*\.?\d+)", completion)
    if not match:
        return 0.0
    guess, truth = float(match.group(1).replace(",", "")), float(answer)
    error = abs(guess - truth) / max(abs(truth), 1.0)
    return 3.0 if error == 0 else max(0.0, 1.0 - error)


STEP = re.compile(r"(\d+(?:\.\d+)?)\s*([-+*/])\s*(\d+(?:\.\d+)?)\s*=\s*(-?\d+(?:\.\d+)?)")


def valid_steps(prompt, completion, answer):
    total = valid = 0
    for left, operator, right, result in STEP.findall(completion):
        a, b = float(left), float(right)
        if operator == "/" and b == 0:
            continue
        value = a + b if operator == "+" else a - b if operator == "-" else a * b if operator == "*" else a / b
        total += 1
        valid += abs(value - float(result)) < 1e-6
    return valid / total if total else 0.0


def repetition(prompt, completion, answer):
    words = re.findall(r"\w+", completion.lower())
    grams = [tuple(words[i : i + 3]) for i in range(len(words) - 2)]
    return 1.0 - len(set(grams)) / len(grams) if grams else 0.0


def numbers_used(prompt, completion, answer):
    wanted = set(re.findall(r"\d+", prompt))
    found = re.findall(r"\d+", completion)
    share = len(wanted & set(found)) / len(wanted) if wanted else 0.0
    return share + (1.0 if found and found[-1] == answer else 0.0)


REWARDS = [format_tags, closeness, valid_steps, repetition, numbers_used]


def main():
    with open(sys.argv[1]) as file:
        samples = json.load(file)
    for _ in sys.stdin:
        reply = {}
        for reward in REWARDS:
            start = time.perf_counter()
            scores = [reward(*sample) for sample in samples]
            reply[reward.__name__] = {"seconds": time.perf_counter() - start, "scores": scores}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
