#!/usr/bin/env python3
"""What the bridge costs beside plain TRL: the same steps of the same job, rewarded by the program and by a Python function.

    PYTHONPATH=trainer-bridge/python/src VENV/bin/python trainer-bridge/scripts/trl_overhead.py JOB.job.json --program PROGRAM --model FOLDER

JOB is what `[trainer] rollouts` leaves beside the rollouts of a run with the reward `base/exact_format` alone; FOLDER is its model. Each
of --repeat times both run --steps steps, alternately; the least processor seconds and wall seconds of each are printed as one JSON line, the
scoring process's own included. One thread.
"""

import argparse
import json
import re
import resource
import shutil
import tempfile
import time

import torch

from reward_search.worker import model
from reward_search.worker.channel import PROTOCOL
from reward_search.worker.run import Run
from reward_search.worker.scorer import Batch, JobScorer
from reward_search.worker.spec import Spec

FORMAT = re.compile(r"\s*<thinking>.*</thinking>\s*<solution>.*</solution>\s*", re.DOTALL)


class Silent:
    """A channel to nobody."""

    stopped = False

    def tell(self, event, **fields):
        pass


class Plain:
    """What a user of plain TRL writes: a function of the texts."""

    def __init__(self, spec, decode, scored):
        self.last, self.seconds = None, 0.0

    def functions(self):
        def exact_format(completions, completion_ids, **columns):
            since = time.perf_counter()
            scores = [3.0 if FORMAT.fullmatch(text) else 0.0 for text in completions]
            self.seconds += time.perf_counter() - since
            self.last = Batch(completions, completions, [len(ids) for ids in completion_ids], {"base/exact_format": scores}, scores, [False] * len(scores), [], "")
            return scores

        return [exact_format]

    def close(self):
        pass


class Bridged(JobScorer):
    seconds = 0.0

    def _score(self, completion_ids, examples):
        since = time.perf_counter()
        scored = super()._score(completion_ids, examples)
        self.seconds += time.perf_counter() - since
        return scored


def cpu():
    kinds = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in kinds)


def run(arguments, scoring):
    work = tempfile.mkdtemp()
    with open(arguments.job, encoding="utf-8") as file:
        job = {**json.load(file), "until_step": arguments.steps, "from": None, "save_every": None}
    settings = dict(
        model=arguments.model, name="toy", device="cpu", dtype="f32", lora=None, chat_template="auto", system_prompt=None, chat_template_kwargs={},
        threads=1, micro_batch=128, eval_batch=128, gradient_checkpointing=False, use_vllm=False, rollouts=None,
    )  # fmt: skip
    spec = Spec(arguments.job, job, work, arguments.program, settings, [2e-4] * arguments.steps, None)
    begun = (time.perf_counter(), cpu())
    tokenizer = model.tokenizer_of(spec)
    scorer = scoring(spec, model.decoder(tokenizer), lambda: None)
    trainer = Run(spec, Silent())._trainer(model.model_of(spec, tokenizer), tokenizer, scorer)
    trainer.train()
    scorer.close()
    shutil.rmtree(work)
    return time.perf_counter() - begun[0], cpu() - begun[1], scorer.seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("job")
    parser.add_argument("--program", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    seen = {"plain": [], "bridged": []}
    for _ in range(arguments.repeat):
        seen["plain"].append(run(arguments, Plain))
        seen["bridged"].append(run(arguments, Bridged))
    least = {kind: [round(min(values), 3) for values in zip(*runs)] for kind, runs in seen.items()}
    print(json.dumps({"protocol": PROTOCOL, "steps": arguments.steps, "columns": ["wall_s", "cpu_s", "in_rewards_s"], **least}))


if __name__ == "__main__":
    main()
