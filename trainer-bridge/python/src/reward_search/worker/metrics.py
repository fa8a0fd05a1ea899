"""A step's metrics under the program's names, from what TRL logs and from the batch of rollouts that the step learnt from.

Where several steps share a batch, what comes of the rewards describes all of it: TRL shuffles it before it is parted.
"""

from __future__ import annotations

import math
from typing import Any

from .scorer import Batch
from .spec import Json, Spec

#: Longest prompt or completion that is told, characters: every step of every trial is stored.
_SHOWN = 600
#: Longest text of the rewards that is told, characters.
_PRINTED = 2000
#: Our names of what TRL logs.
_AS_LOGGED = {
    "loss": "loss",
    "grad_norm": "grad_norm",
    "kl": "kl",
    "entropy": "entropy",
    "clip_ratio_low": "clip_ratio/low_mean",
    "clip_ratio_high": "clip_ratio/high_mean",
    "frac_reward_zero_std": "frac_reward_zero_std",
    "clipped_ratio": "completions/clipped_ratio",
}


def step_metrics(spec: Spec, logs: Json, batch: Batch, step: int, seconds: float) -> Json:
    """The metrics. `logs` is what TRL logged last under each of its names."""
    metrics: Json = {"step": step, "learning_rate": spec.learning_rates[step - 1], "step_time": seconds, "kept": 1.0}
    metrics |= {ours: float(logs[theirs]) for ours, theirs in _AS_LOGGED.items() if theirs in logs}
    metrics["reward"], metrics["reward_std"] = moments(batch.totals)
    by_member = [moments(batch.members[name]) for name in spec.members]
    metrics["member_rewards"] = [mean for mean, _ in by_member]
    metrics["member_rewards_std"] = [std for _, std in by_member]
    metrics["correct"] = sum(batch.correct) / len(batch.correct)
    lengths = batch.lengths
    metrics["completion_length"] = sum(lengths) / len(lengths)
    metrics["completion_length_min"], metrics["completion_length_max"] = min(lengths), max(lengths)
    metrics["terminated_length"] = {
        "mean": float(logs.get("completions/mean_terminated_length", 0.0)),
        "min": int(logs.get("completions/min_terminated_length", 0)),
        "max": int(logs.get("completions/max_terminated_length", 0)),
    }
    metrics["num_tokens"] = sum(lengths) // spec.job["grpo"]["steps_per_generation"]
    metrics["parts"] = [{"reward": reward, "part": part, "mean": sum(values) / len(values)} for reward, part, values in batch.parts]
    metrics["printed"] = batch.printed[:_PRINTED]
    metrics["samples"] = [_sample(batch, row) for row in _extremes(batch.totals)]
    return metrics


def moments(values: list[float]) -> tuple[float, float]:
    """Mean and unbiased standard deviation."""
    if not values:
        return 0.0, 0.0
    if all(value == values[0] for value in values):
        return values[0], 0.0
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _extremes(totals: list[float]) -> list[int]:
    """The places of the highest and the lowest, the first of each where there are several."""
    places = range(len(totals))
    return [max(places, key=totals.__getitem__), min(places, key=totals.__getitem__)]


def _sample(batch: Batch, row: int) -> dict[str, Any]:
    return {
        "prompt": _shortened(batch.prompts[row]),
        "completion": _shortened(batch.completions[row]),
        "reward": batch.totals[row],
        "correct": batch.correct[row],
    }


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
