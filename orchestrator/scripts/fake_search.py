"""A search that is real but for its trainer, which trains nothing: what fault_matrix.py and long_search.py try things on."""

from __future__ import annotations

import json
from pathlib import Path

SETTINGS = {
    "search.name": "x",
    "search.seed": 7,
    "search.rounds": 2,
    "search.candidates_per_round": 2,
    "search.max_concurrent_trials": 2,
    "task.kind": "gsm8k",
    "task.path": "sums",
    "task.dev_size": 100,
    "proposer.kind": "replay",
    "proposer.path": "drafts.jsonl",
    "trainer.kind": "fake",
    "screen.steps": 6,
    "screen.problems": 50,
    "screen.gate.refuse_flat": False,
    "screen.gate.replace_twins": False,
    "ensemble.sizes": [],
    "confirm.seeds": 0,
}


def prepare(folder: Path, drafts: list[dict], changed: dict) -> None:
    """Writes sums, drafts and `search.toml` into a folder; `changed` are further settings, or other values of those above, by their whole names."""
    (folder / "sums").mkdir(parents=True)
    for name, count, first in (("train", 400, 2), ("test", 100, 1000)):
        rows = [
            {"question": f"tom has {n} apples and gets {n % 7 + 1} more . how many now ?", "answer": f"added\n#### {n + n % 7 + 1}"}
            for n in range(first, first + count)
        ]
        lines(folder / "sums" / f"{name}.jsonl", rows)
    lines(folder / "drafts.jsonl", drafts)
    settings = {**SETTINGS, **changed}
    # Strings, whole numbers, truth values and lists of these are written in TOML as in JSON.
    (folder / "search.toml").write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))


def lines(path: Path, rows: list[dict]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
