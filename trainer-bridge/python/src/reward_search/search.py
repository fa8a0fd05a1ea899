"""A search's database, read through the program: rankings as lists of dicts or pandas frames.

Nothing here reads the database itself: what a row means is known in one place, the program, and every face shows the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from .program import run_json

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

    @property
    def _database(self) -> list[str]:
        return ["--database", self.database]

    def _table(self, records: Iterable[dict[str, Any]]) -> Table:
        if not self._pandas:
            return list(records)
        import pandas

        return pandas.DataFrame(list(records))

    def __repr__(self) -> str:
        return f"<search {self.database}>"


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
