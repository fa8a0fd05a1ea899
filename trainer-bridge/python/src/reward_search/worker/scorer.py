"""The rewards of the job as TRL's reward functions, one a member, scored by the program's `score --stdio --job`: judge, rewards and
limits are those of the embedded trainer. Every batch is one request.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from ..scoring import Scoring, Settings
from .spec import Json, Spec

#: The data set's column that says which example a row is of.
EXAMPLE = "reward_search_example"
RewardFunction = Callable[..., list[float]]


@dataclass(frozen=True)
class Batch:
    """A batch of rollouts with all that was said of it."""

    prompts: list[str]
    completions: list[str]
    lengths: list[int]
    members: dict[str, list[float]]
    totals: list[float]
    correct: list[bool]
    #: The parts that rewards name themselves, as `(reward, part, values)`.
    parts: list[tuple[str, str, list[float]]]
    printed: str


class JobScorer:
    """Scores rollouts of the job's examples. `last` is the batch that was scored last."""

    last: Batch | None

    def __init__(self, spec: Spec, decode: Callable[[list[int]], str], scored: Callable[[], None]) -> None:
        """Starts the scoring process, which loads every reward. `decode` gives the text of a completion's tokens; `scored` is told of
        every batch."""
        self.spec, self.last, self._decode, self._scored = spec, None, decode, scored
        self._scoring = Scoring(Settings(job=spec.job_file, program=spec.program))
        self._names = [reward["name"] for reward in self._scoring.hello["rewards"]]
        self._key: object = None
        rollouts = spec.settings.get("rollouts")
        self._log: IO[str] | None = open(rollouts, "a", encoding="utf-8") if rollouts else None

    def functions(self) -> list[RewardFunction]:
        """The reward functions, in the mix's order; TRL logs each under its name."""
        return [self._function(name) for name in self._names]

    def close(self) -> None:
        """Ends the scoring process."""
        self._scoring.close()
        if self._log:
            self._log.close()

    def _function(self, name: str) -> RewardFunction:
        def reward(completion_ids: list[list[int]], trainer_state: Any, **columns: Any) -> list[float]:
            return self._batch(completion_ids, columns[EXAMPLE], trainer_state.global_step + 1).members[name]

        reward.__name__ = reward.__qualname__ = name
        return reward

    def _batch(self, completion_ids: list[list[int]], examples: Sequence[int], step: int) -> Batch:
        """The batch's scores; the members ask for them one after the other."""
        key = (step, completion_ids)
        if self.last is None or self._key != key:
            self.last = self._score(completion_ids, [self.spec.job["examples"][place] for place in examples])
            self._key = key
            self._write(self.last, examples, step)
            self._scored()
        return self.last

    def _score(self, completion_ids: list[list[int]], examples: list[Json]) -> Batch:
        texts = [self._decode(ids) for ids in completion_ids]
        prompts = [example["prompt"] for example in examples]
        # As the embedded trainer has it: the question is the job's own, and beside the answer stand the example's other columns alone.
        samples = [
            {**json.loads(example.get("row") or "{}"), "prompt": example["prompt"], "completion": text, "answer": example["answer"]}
            for example, text in zip(examples, texts, strict=True)
        ]
        reply = self._scoring._ask({"samples": samples})
        components: Mapping[str, list[float]] = reply.get("components", {})
        return Batch(
            prompts=prompts,
            completions=texts,
            lengths=[len(ids) for ids in completion_ids],
            # A reward alone has no component of its own where its weight is 1.
            members={name: components.get(name, reply["scores"]) for name in self._names},
            totals=reply["scores"],
            correct=reply["correct"],
            parts=[(name, key[len(name) + 1 :], values) for name in self._names for key, values in components.items() if key.startswith(f"{name}.")],
            printed="".join(reply.get("printed", {}).values()),
        )

    def _write(self, batch: Batch, examples: Sequence[int], step: int) -> None:
        if not self._log:
            return
        for row, place in enumerate(examples):
            example = self.spec.job["examples"][place]
            line = {
                "step": step,
                "prompt": batch.prompts[row],
                "question": example["question"],
                "answer": example["answer"],
                "completion": batch.completions[row],
                "rewards": {name: values[row] for name, values in batch.members.items()},
                "total": batch.totals[row],
                "correct": batch.correct[row],
            }
            self._log.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._log.flush()
