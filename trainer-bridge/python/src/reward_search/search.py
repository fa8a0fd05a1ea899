"""A search's database, read through the program: rankings, curves, outcomes and completions as lists of dicts or pandas frames.

Nothing here reads the database itself: what a row means is known in one place, the program, and every face shows the same.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from .program import run, run_json

if TYPE_CHECKING:
    import pandas

#: Records: a list of dicts, or a frame where pandas was asked for.
Table: TypeAlias = "list[dict[str, Any]] | pandas.DataFrame"


class Search:
    """A search, which may still be running; every method reads its present state, and none changes anything.

    With `pandas=True` tables are frames, else lists of dicts.
    """

    def __init__(self, database: str | os.PathLike[str], pandas: bool = False, program: str | os.PathLike[str] | None = None) -> None:
        self.database = os.path.abspath(database)
        if not os.path.isfile(self.database):
            raise FileNotFoundError(f"there is no database {self.database}")
        self._pandas, self._program = pandas, program
        if pandas:
            # Said now and not after the first long query.
            import pandas as _  # noqa: F401

    def summary(self) -> dict[str, Any]:
        """All that `reward-search leaderboard --format json` says; the README has its keys."""
        summary: dict[str, Any] = run_json(["leaderboard", "--format", "json", *self._database], self._program)
        return summary

    def leaderboard(self) -> Table:
        """The candidates, ranked: `rank`, `name`, `round`, `state`, `f1`, `f1_lower`, `f1_upper`, `accuracy`, `answer_rate`, `p_base`
        (Holm-adjusted, against the base rewards alone), `p_best` (against the best), `same_as`, `reason`."""
        return self._table(map(_ranked, self.summary()["candidates"]))

    def references(self) -> Table:
        """What candidates are compared with (`untouched`, `base-rewards-only`), with the same columns."""
        return self._table(map(_ranked, self.summary()["references"]))

    def candidates(self) -> Table:
        """Every candidate there ever was: `name`, `origin`, `round`, `language`, `status`, `reason`, `parents`, `sha256` (of its module),
        `rationale`, `source`, `probe`."""
        return self._records("candidates")

    def trials(self) -> Table:
        """Every training run: `trial`, `arm`, `stage`, `number` (rung or seed, from 0), `seed`, `steps`, `state`, `step`, `attempts`, `reason`."""
        return self._records("trials")

    def curves(self, arm: str | None = None) -> Table:
        """The metrics of every optimiser step: `trial`, `arm`, `stage`, `number`, then the step's own figures; of one arm or of all."""
        return self._records("curves", arm)

    def outcomes(self, arm: str | None = None) -> Table:
        """The outcome of every question: `trial`, `arm`, `stage`, `number`, `split`, `question` (its place, from 0), `outcome` (`correct`,
        `wrong`, `no_answer`)."""
        return self._records("outcomes", arm)

    def completions(self, arm: str | None = None) -> Table:
        """What the trained policies wrote: the columns of `outcomes`, and `completion`."""
        return self._records("completions", arm)

    def candidate(self, name: str) -> Candidate:
        """One candidate. Raises `KeyError` if there is none of that name."""
        records = run(["records", "candidates", *self._database], self._program).splitlines()
        for record in map(json.loads, records):
            if record["name"] == name:
                return Candidate(self, record)
        raise KeyError(f"no candidate `{name}` in {self.database}")

    def export(self, folder: str | os.PathLike[str], *, top: int | None = None, ensemble: str | None = None, to: str = "wasm") -> Path:
        """Exports the best `top` candidates, or the mix of that name, as `reward-search export` does, and returns the folder. `to` is
        `trl`, `verl`, `verifiers`, several of them with commas, or `wasm`."""
        which = ["--ensemble", ensemble] if ensemble is not None else ["--top", str(top or 1)]
        run(["export", os.fspath(folder), *which, "--to", to, *self._database], self._program)
        return Path(folder)

    @property
    def _database(self) -> list[str]:
        return ["--database", self.database]

    def _lines(self, what: str, arm: str | None = None) -> list[dict[str, Any]]:
        only = [] if arm is None else ["--only", arm]
        return [json.loads(line) for line in run(["records", what, *only, *self._database], self._program).splitlines()]

    def _records(self, what: str, arm: str | None = None) -> Table:
        return self._table(self._lines(what, arm))

    def _table(self, records: Iterable[dict[str, Any]]) -> Table:
        if not self._pandas:
            return list(records)
        import pandas

        return pandas.DataFrame(list(records))

    def __repr__(self) -> str:
        return f"<search {self.database}>"


class Candidate:
    """A candidate of a search."""

    name: str
    #: Its source, as it was proposed.
    source: str
    #: `rust` or `python`.
    language: str
    #: What its author said of it.
    rationale: str
    #: `accepted`, `rejected`, `duplicate` or `unreadable`.
    status: str

    def __init__(self, search: Search, record: dict[str, Any]) -> None:
        self._search, self.record = search, record
        self.name, self.source, self.language = record["name"], record["source"], record["language"]
        self.rationale, self.status = record["rationale"], record["status"]

    def export(self, folder: str | os.PathLike[str], to: str = "wasm") -> Path:
        """Exports it alone, as a folder that works by itself, and returns the folder."""
        search = self._search
        run(["export", self.name, os.fspath(folder), "--to", to, *search._database], search._program)
        return Path(folder)

    def curves(self) -> Table:
        """The metrics of every optimiser step of its trainings."""
        return self._search.curves(self.name)

    def completions(self) -> Table:
        """What the policies trained with it wrote."""
        return self._search.completions(self.name)

    def __repr__(self) -> str:
        return f"<candidate {self.name}: {self.status}>"


def _ranked(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the leaderboard without objects in it."""
    f1, accuracy = row.get("f1") or {}, row.get("accuracy") or {}
    interval = f1.get("interval") or {}
    return {
        "rank": row.get("rank"),
        "name": row.get("name"),
        "round": row.get("round"),
        "state": row.get("state"),
        "f1": f1.get("point"),
        "f1_lower": interval.get("lower"),
        "f1_upper": interval.get("upper"),
        "accuracy": accuracy.get("point"),
        "answer_rate": row.get("answer_rate"),
        "p_base": (row.get("vs_base") or {}).get("p_holm"),
        "p_best": (row.get("vs_leader") or {}).get("p_holm"),
        "same_as": row.get("same_as"),
        "reason": row.get("reason"),
    }


def open(database: str | os.PathLike[str], *, pandas: bool = False, program: str | os.PathLike[str] | None = None) -> Search:
    """Opens a search's database to read it, also while the search runs. `pandas=True` makes tables frames; it needs pandas."""
    return Search(database, pandas, program)
