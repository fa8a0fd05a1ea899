"""The exported rewards, loaded: their verdicts, their scores, and the weighted sum. Safe to use from several threads."""

import json
import os
import threading
from collections import OrderedDict
from functools import lru_cache

from . import columns
from .locks import Lock
from .sandbox import Judge, RewardFault, Sample, WasmReward, manifest

__all__ = ["Export", "RewardFault", "load"]

#: Verdicts that are remembered: every member asks for those of the same batch, one after the other.
REMEMBERED = 8192


class Export:
    """The members of this folder, loaded once a process."""

    def __init__(self):
        members = manifest()["members"]
        self.rewards = {member["function"]: _reward(member) for member in members}
        self.weights = {member["function"]: member["weight"] for member in members}
        self.reads_prompt = any(member["reads_prompt"] for member in members)
        self._thread = threading.local()
        self._verdicts, self._lock = OrderedDict(), Lock()
        sources = [reward.source for reward in self.rewards.values() if not isinstance(reward, WasmReward)]
        self._reads_rows = bool(sources)
        # What no reward here reads need not be gathered.
        self._unread = () if any("completion_ids" in source for source in sources) else ("completion_ids",)

    def verdict(self, completion, answer):
        """Whether a completion is right, and the answer found in it."""
        key = (completion, answer)
        with self._lock.held():
            known = self._verdicts.get(key)
        if known is not None:
            return known
        judge = getattr(self._thread, "judge", None)
        if judge is None:
            judge = self._thread.judge = Judge()
        try:
            verdict = judge.verdict(completion, answer)
        except BaseException:
            # Cut off in the middle, a judge is of no more use.
            self._thread.judge = None
            raise
        with self._lock.held():
            self._verdicts[key] = verdict
            while len(self._verdicts) > REMEMBERED:
                self._verdicts.popitem(last=False)
        return verdict

    def rows(self, given, count):
        """The data set's own columns, row by row; nothing where no reward can read them."""
        return columns.rows(given, count, self._unread) if self._reads_rows else [{} for _ in range(count)]

    def reference(self, answer, column):
        """A reference answer as the judge reads it; nothing, where only rewards can understand it."""
        try:
            return columns.reference(answer, column)
        except TypeError:
            if self._reads_rows:
                return ""
            raise

    def sample(self, prompt, completion, answer, row):
        """A completion with its verdict; `row` holds the data set's own columns, as JSON has them."""
        text = json.dumps(row, ensure_ascii=False) if row and self._reads_rows else ""
        return Sample(prompt, completion, answer, *self.verdict(completion, answer), text)

    def scores(self, member, samples, on_fault="raise"):
        """What a member says of samples. A sample on which it fails has `on_fault` for a score, unless that is "raise"."""
        reward, scores, left = self.rewards[member], [None] * len(samples), list(range(len(samples)))
        while left:
            try:
                for index, score in zip(left, reward.scores([samples[index] for index in left]), strict=True):
                    scores[index] = score
                return scores
            except RewardFault as fault:
                at = left[fault.index]
                if on_fault == "raise":
                    raise RewardFault(fault.kind, member, at, fault.message) from None
                # Those that are scored together fail together.
                gone = {n for n in left if n == at or (reward.of_groups and samples[n].prompt == samples[at].prompt)}
                for index in gone:
                    scores[index] = on_fault
                left = [index for index in left if index not in gone]
        return scores

    def total(self, scores):
        """The weighted sum of the members' scores, one a sample; None where a member has none."""
        totals = []
        for row in zip(*scores.values(), strict=True):
            total = 0.0
            for weight, score in zip(self.weights.values(), row, strict=True):
                total = None if total is None or score is None else total + weight * score
            totals.append(total)
        return totals


def _reward(member):
    if member["language"] == "python":
        from .plain import PythonReward

        return PythonReward(member)
    return WasmReward(member)


_loading = Lock()


@lru_cache(maxsize=None)
def _loaded():
    return Export()


def load():
    """The rewards of this folder, loaded when they are first asked for: importing this package compiles nothing."""
    with _loading.held():
        return _loaded()


def _after_fork():
    # A judge that was in the middle of a verdict is of no more use.
    if _loaded.cache_info().currsize:
        _loaded()._thread = threading.local()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
