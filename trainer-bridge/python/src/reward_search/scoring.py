"""Scores of whole batches by one scoring process: started when it is needed, once more if it dies, anew in every process that forks off.

All members of a mix score a batch in one request, as in a search: the judge once, then every reward.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .columns import line
from .errors import HostTrouble, RequestRefused, RewardFault, ServerDied
from .program import find_program
from .server import Server

#: What happens on a fault of a reward: `"raise"`, None (the row has no score), or the score it gets instead.
OnFault = Literal["raise"] | float | None

_REQUEST_AT_FAULT = {"invalid_json", "not_utf8", "line_too_long", "invalid_request"}
_WORLD_AT_FAULT = {"host", "judge"}
#: Batches whose scores are remembered: every member of a mix asks for the same one, one after the other.
_REMEMBERED = 4


@dataclass(frozen=True)
class Settings:
    """What a scoring process is started with: plain data, which pickles."""

    rewards: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    job: str | None = None
    verifier: str | None = None
    cache: str | None = None
    database: str | None = None
    program: str | None = None
    start_timeout: float = 600.0
    timeout: float = 600.0

    def command(self) -> list[str]:
        """The command line."""
        command = [find_program(self.program), "score", "--stdio", *self.rewards]
        if self.weights:
            command += ["--weights", ",".join(map(repr, self.weights))]
        for option in ("job", "verifier", "cache", "database"):
            value = getattr(self, option)
            if value is not None:
                command += [f"--{option}", value]
        return command


@dataclass(frozen=True)
class Scores:
    """The scores of a batch. A row without a score has None in every column."""

    members: Mapping[str, list[float | None]]
    total: list[float | None]
    sums: list[float | None] | None


class Scoring:
    """A scoring process and the last batches it scored. Threads take turns; a forked process starts one of its own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._forget()
        _alive.add(self)

    def _forget(self) -> None:
        self._lock = threading.RLock()
        self._server: Server | None = None
        self._known: OrderedDict[bytes, Scores] = OrderedDict()

    @property
    def hello(self) -> dict[str, Any]:
        """What the process says of itself; it is started for it."""
        with self._lock:
            return self._started().hello

    @property
    def pid(self) -> int | None:
        """The process that scores now, if there is one."""
        with self._lock:
            return self._server._process.pid if self._server else None

    def close(self) -> None:
        """Ends the process. Another is started should there be more to score."""
        with self._lock:
            server, self._server = self._server, None
            if server:
                server.close()

    def score(self, request: Mapping[str, Any], on_fault: OnFault) -> Scores:
        """The scores of a batch: a request of the protocol with `samples`.

        Raises `RewardFault` where a reward goes wrong and `on_fault` says so, `HostTrouble` where the machine does, `RequestRefused`,
        `ServerDied`, `ServerNotStarted`.
        """
        written = line(request)
        key = hashlib.sha256(written + repr(on_fault).encode()).digest()
        with self._lock:
            known = self._known.get(key)
            if known is None:
                known = self._scored(request, on_fault)
                self._known[key] = known
                while len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
            return known

    def _scored(self, request: Mapping[str, Any], on_fault: OnFault) -> Scores:
        count = len(request["samples"])
        if count == 0:
            return Scores({reward["name"]: [] for reward in self.hello["rewards"]}, [], [])
        left = list(range(count))
        while left:
            try:
                samples = [request["samples"][row] for row in left]
                return self._spread(self._ask({**request, "samples": samples}), left, count, on_fault)
            except RewardFault as fault:
                if on_fault == "raise":
                    if fault.index is not None and fault.index < len(left):
                        fault.index = left[fault.index]
                    raise
                left = self._without(fault, request, left)
        return self._spread(None, [], count, on_fault)

    def _without(self, fault: RewardFault, request: Mapping[str, Any], left: list[int]) -> list[int]:
        """The rows that are still to be scored after a fault. Rows that are scored together with the one at fault go with it: all where
        no row is named, those of its group for sums, or where a reward weighs the completions of a prompt against each other."""
        if fault.index is None or not fault.index < len(left):
            return []
        row = left[fault.index]
        group = request.get("group")
        if group:
            return [other for other in left if other // group != row // group]
        of_groups = any(reward.get("of_groups") for reward in self.hello["rewards"])
        if of_groups:
            prompts = [sample.get("prompt") for sample in request["samples"]]
            return [other for other in left if prompts[other] != prompts[row]]
        return [other for other in left if other != row]

    def _spread(self, reply: Mapping[str, Any] | None, rows: list[int], count: int, on_fault: OnFault) -> Scores:
        """A reply about some rows as columns of all rows."""
        missing = None if on_fault == "raise" else on_fault

        def whole(values: list[float]) -> list[float | None]:
            column: list[float | None] = [missing] * count
            for row, value in zip(rows, values, strict=True):
                column[row] = value
            return column

        names = [reward["name"] for reward in self.hello["rewards"]]
        if reply is None:
            return Scores({name: whole([]) for name in names}, whole([]), whole([]))
        parts = reply.get("components", {})
        members = {}
        for reward in self.hello["rewards"]:
            name = reward["name"]
            if name not in parts and reward["weight"] != 1.0:
                raise RequestRefused(f"the program does not say what `{name}` alone scores: it is older than this package")
            members[name] = whole(parts.get(name, reply["scores"]))
        sums = reply.get("sums")
        return Scores(members, whole(reply["scores"]), whole(sums) if sums is not None else None)

    def _ask(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """One request, twice if the process dies over it or the machine has trouble."""
        written = line(request)
        for last in (False, True):
            server = self._started()
            try:
                reply: Mapping[str, Any] = server.request(written, self.settings.timeout)
                _raise_error(reply)
                return reply
            except (ServerDied, HostTrouble) as error:
                if isinstance(error, ServerDied):
                    self._server = None
                    server.close(0)
                if last:
                    raise
                time.sleep(0.1)
            except BaseException as error:
                # Cut off in the middle of an answer, a process is of no more use: the rest would be taken for the next answer.
                if not isinstance(error, (RewardFault, RequestRefused)):
                    self._server = None
                    server.close(0)
                raise
        raise AssertionError("unreachable")

    def _started(self) -> Server:
        if self._server is None:
            self._server = Server(self.settings.command(), self.settings.start_timeout)
        return self._server

    def __reduce__(self) -> tuple[Any, tuple[Settings]]:
        return shared, (self.settings,)


def _raise_error(reply: Mapping[str, Any]) -> None:
    error = reply.get("error")
    if error is None:
        return
    kind, message = error["kind"], error["message"]
    if kind in _REQUEST_AT_FAULT:
        raise RequestRefused(message)
    if kind in _WORLD_AT_FAULT:
        raise HostTrouble(message)
    raise RewardFault(message, kind, error.get("reward"), error.get("index"))


_alive: weakref.WeakSet[Scoring] = weakref.WeakSet()
_by_settings: weakref.WeakValueDictionary[Settings, Scoring] = weakref.WeakValueDictionary()
_registry = threading.Lock()


def shared(settings: Settings) -> Scoring:
    """The process's own scoring with these settings: one for all who ask, so that functions that were pickled one by one share it."""
    with _registry:
        scoring = _by_settings.get(settings)
        if scoring is None:
            scoring = _by_settings[settings] = Scoring(settings)
        return scoring


def _close_all() -> None:
    for scoring in list(_alive):
        scoring.close()


def _after_fork() -> None:
    global _registry
    _registry = threading.Lock()
    for scoring in list(_alive):
        server = scoring._server
        scoring._forget()
        if server:
            server.forget()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_after_fork)
