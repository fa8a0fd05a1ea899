"""Scores with CPython on demand: the other side of the benchmark and of the equality test.

Reads the samples as a JSON list of [prompt, completion, answer] from the file named on the command line. For each name of a
reward on standard input it scores all samples and answers with one JSON line: CPU seconds of the thread, and the scores.
"""

import json
import sys
import time

import rewards


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        prompts, completions, answer = map(list, zip(*json.load(file)))
    for line in sys.stdin:
        reward = getattr(rewards, line.strip())
        start = time.thread_time()
        scores = reward(prompts=prompts, completions=completions, answer=answer)
        print(json.dumps({"seconds": time.thread_time() - start, "scores": scores}), flush=True)


if __name__ == "__main__":
    main()
