"""Reward functions for TRL: one a member, all scored in the sandbox by one process."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

from . import columns
from .scoring import OnFault, Scores, Scoring, Settings, shared

Weights = Sequence[float]


class RewardFunction:
    """A reward function as TRL calls it: `f(prompts=…, completions=…, answer=[…], **columns) -> list[float | None]`.

    None stands for a row that has no score: its answer or its completion is None, or a reward failed on it and the policy says None.
    It pickles, and may be called from several threads and in forked processes.
    """

    def __init__(self, scoring: Scoring, name: str, answer_column: str | None, on_fault: OnFault) -> None:
        self.__name__ = self.__qualname__ = name
        self._scoring, self._answer_column, self._on_fault = scoring, answer_column, on_fault

    def __call__(self, *, completions: Sequence[Any], prompts: Sequence[Any] | None = None, **others: Any) -> list[float | None]:
        request, rows = self._request(completions, prompts, others)
        values = self._column(self._scoring.score(request, self._on_fault))
        scores: list[float | None] = [None] * len(completions)
        for row, value in zip(rows, values, strict=True):
            scores[row] = value
        return scores

    def _request(self, completions: Sequence[Any], prompts: Sequence[Any] | None, others: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
        """The request of a batch, and the rows it is about: those that have a completion and an answer."""
        count = len(completions)
        if self._answer_column == "":
            name, answers = "answer", [""] * count
        else:
            name, answers = columns.answers(others, self._answer_column, count)
        columns.check(completions, {"prompts": prompts, name: answers})
        served = self._scoring.hello["rewards"]
        unread = () if any(reward.get("completion_ids") for reward in served) else ("completion_ids",)
        in_python = any(reward.get("language") == "python" for reward in served)
        given = columns.rows(others, count, unread)
        known_as = columns.known_as(name, self._answer_column)
        rows, samples = [], []
        for row, (completion, answer) in enumerate(zip(completions, answers, strict=True)):
            if completion is None or answer is None:
                continue
            if not in_python:
                # Whoever cannot be told of it must not be called wrong for it.
                columns.reference(answer, name)
            sample = {**given[row], known_as: columns.plain(answer), "completion": columns.text(completion)}
            if prompts is not None:
                sample["prompt"] = columns.text(prompts[row])
            rows.append(row)
            samples.append(sample)
        return {"samples": samples}, rows

    def _column(self, scores: Scores) -> list[float | None]:
        return scores.members[self.__name__]

    def __repr__(self) -> str:
        return f"<reward function {self.__name__}>"


class CombinedReward(RewardFunction):
    """The whole mix as one reward function, for trainers that know of one only.

    Without `group` it returns the weighted sum. With it, it returns one number that holds the mix under its own aggregation; completions
    must then come in groups of so many of a prompt, and a group in which a row has no score has none at all.
    """

    def __init__(self, scoring: Scoring, name: str, answer_column: str | None, on_fault: OnFault, group: int | None) -> None:
        super().__init__(scoring, name, answer_column, on_fault)
        self._group = group

    def _request(self, completions: Sequence[Any], prompts: Sequence[Any] | None, others: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
        request, rows = super()._request(completions, prompts, others)
        group = self._group
        if group is None:
            return request, rows
        if len(completions) % group:
            raise ValueError(f"{len(completions)} completions are no whole groups of {group}")
        there = dict(zip(rows, request["samples"], strict=True))
        whole = [row for row in rows if all(row // group * group + k in there for k in range(group))]
        return {"samples": [there[row] for row in whole], "group": group}, whole

    def _column(self, scores: Scores) -> list[float | None]:
        if self._group is None:
            return scores.total
        return scores.sums if scores.sums is not None else []


class Rewards(list[RewardFunction]):
    """Reward functions, one a member, with what else TRL needs to know of them. It is a list, as `GRPOTrainer(reward_funcs=…)` wants."""

    #: One weight a function, for `GRPOConfig(reward_weights=…)`.
    weights: list[float]
    #: `"sum_then_normalize"` or `"normalize_then_sum"`, for `GRPOConfig(multi_objective_aggregation=…)`.
    aggregation: str

    def __init__(self, functions: Sequence[RewardFunction], weights: Sequence[float], aggregation: str) -> None:
        super().__init__(functions)
        self.weights, self.aggregation = list(weights), aggregation

    @property
    def names(self) -> list[str]:
        """The functions' names, under which TRL logs them."""
        return [function.__name__ for function in self]

    @property
    def config(self) -> dict[str, Any]:
        """What `GRPOConfig` must be told: `GRPOConfig(**rewards.config, …)`."""
        return {"reward_weights": list(self.weights), "multi_objective_aggregation": self.aggregation}

    def combined(self, group: int | None = None, name: str = "reward_search") -> CombinedReward:
        """All of them as one function: their weighted sum, or, with `group=num_generations`, one number that holds the mix under its own
        aggregation (TRL is then told `scale_rewards="batch"` where that is `normalize_then_sum`, else `"group"`)."""
        first = self[0]
        return CombinedReward(first._scoring, name, first._answer_column, first._on_fault, group)

    def close(self) -> None:
        """Ends the scoring process now; without this it ends with this one."""
        self[0]._scoring.close()

    def __enter__(self) -> Rewards:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (list(self), self.weights, self.aggregation)


def rewards(
    *specs: str | os.PathLike[str],
    weights: Sequence[float] | None = None,
    answer_column: str | None = None,
    on_fault: OnFault = "raise",
    job: str | os.PathLike[str] | None = None,
    verifier: str | os.PathLike[str] | None = None,
    cache: str | os.PathLike[str] | None = None,
    database: str | os.PathLike[str] | None = None,
    program: str | os.PathLike[str] | None = None,
    timeout: float = 600.0,
) -> Rewards:
    """Reward functions for TRL out of files, exports and searches; they run in the sandbox of `reward-search`, whatever they are.

    Each of `specs` is a file (`"mine.rs"`, `"rewards.py"`, `"rewards.py::name"`, `"x.wasm"`), an exported folder, or the name of a
    candidate of the search in `database`. A file or folder with several rewards gives several functions. `job` is a training job's file
    instead of them.

    - `weights`: one a reward; if absent 1, or what an export says.
    - `answer_column`: the data set's column of reference answers; if absent the first there is of answer, solution, ground_truth, target
      and label. `""` if the rewards read no answer. Of GSM8K's worked answers what follows `####` counts.
    - `on_fault`: what happens when a reward goes wrong on a row (out of fuel, not finite, an exception): `"raise"`, None (the row has no
      score, by any of the rewards, which TRL leaves out), or the number that each of them gives it. Trouble of the machine is raised in
      any case.
    - `verifier`, `cache`: a configuration whose `[verifier]` section says who judges answers, and a database for its verdicts.
    - `timeout`: seconds after which a batch is given up.

    Returns when all rewards are compiled and loaded. Raises `ServerNotStarted` with the reason if that is not possible, `ProgramMissing`
    without the program.
    """
    if bool(specs) == (job is not None):
        raise ValueError("name rewards, or a job, and not both")
    for spec in specs:
        if not isinstance(spec, (str, os.PathLike)):
            raise TypeError(f"rewards are named one by one, as in rewards(\"mine.rs\", \"rewards.py\"): {spec!r} is no name")
    if on_fault is not None and on_fault != "raise" and not (isinstance(on_fault, (int, float)) and math.isfinite(on_fault)):
        raise ValueError(f"on_fault must be \"raise\", None or a finite number, not {on_fault!r}")
    settings = Settings(
        rewards=tuple(_spec(os.fspath(spec)) for spec in specs),
        weights=tuple(float(weight) for weight in weights or ()),
        job=_path(job),
        verifier=_path(verifier),
        cache=_path(cache),
        database=_path(database),
        program=_path(program),
        timeout=timeout,
    )
    scoring = shared(settings)
    hello = scoring.hello
    served = hello["rewards"]
    functions = [RewardFunction(scoring, reward["name"], answer_column, on_fault) for reward in served]
    return Rewards(functions, [reward["weight"] for reward in served], hello.get("aggregation", "sum_then_normalize"))


def _path(path: str | os.PathLike[str] | None) -> str | None:
    return None if path is None else os.path.abspath(path)


def _spec(spec: str) -> str:
    """A reward's name; a file's as seen from everywhere, for a process may be started again after the folder was changed."""
    file, mark, function = spec.partition("::")
    return os.path.abspath(file) + mark + function if os.path.exists(file) else spec
