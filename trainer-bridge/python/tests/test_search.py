"""`reward_search.open`: what the program says of a search, as records and frames."""

from pathlib import Path

import pandas
import pytest

import reward_search

# What the program said of a stored search.
SAID = Path(__file__).parents[3] / "orchestrator/tests/fixtures/databases/schema-4.json"


def test_the_leaderboard_is_records_or_a_frame(tmp_path):
    database, program = tmp_path / "search.db", tmp_path / "reward-search"
    database.touch()
    program.write_text(f'#!/bin/sh\n[ "$*" = "leaderboard --format json --database {database}" ] && cat {SAID}\n')
    program.chmod(0o755)
    records = reward_search.open(database, program=program).leaderboard()
    first = {"rank": 1, "name": "right", "round": 1, "state": "complete", "f1": 0.8095238095238095, "f1_lower": 0.7012987012987013}
    assert first.items() <= records[0].items()
    frame = reward_search.open(database, pandas=True, program=program).leaderboard()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame["name"]) == [record["name"] for record in records]
    assert "untouched" in {record["name"] for record in reward_search.open(database, program=program).references()}


def test_what_is_no_search_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="no database .*none.db"):
        reward_search.open(tmp_path / "none.db")
    (tmp_path / "text.db").write_text("no database at all, though there are quite some letters in it" * 100)
    with pytest.raises(reward_search.ProgramFailed, match="text.db"):
        reward_search.open(tmp_path / "text.db").summary()
