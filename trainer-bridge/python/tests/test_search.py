"""`reward_search.open`: what the program says of a search, as records and frames."""

import json
import subprocess
from pathlib import Path

import pandas
import pytest
from conftest import PROGRAM

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


SEARCH = """
[search]
name = "tiny"
rounds = 1
candidates_per_round = 2
[task]
kind = "toy"
[trainer]
kind = "fake"
[screen]
steps = 2
problems = 20
[ensemble]
sizes = []
[confirm]
seeds = 0
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """A search with the grammar's rewards, which trains nothing."""
    folder = tmp_path_factory.mktemp("search")
    (folder / "tiny.toml").write_text(SEARCH)
    done = subprocess.run([PROGRAM, "run", "tiny.toml"], cwd=folder, check=False, capture_output=True, text=True)
    # 3: what was trained by nobody answers nothing.
    assert done.returncode in (0, 3), done.stderr
    return folder / "tiny.db"


def test_all_that_a_search_has_seen_is_records_and_frames(database):
    search = reward_search.open(database)
    names = [record["name"] for record in search.candidates() if record["origin"] == "round"]
    assert len(names) == 2
    candidate = search.candidate(names[0])
    assert candidate.source.startswith(("//", "use", "pub", "fn", "const", "#"))
    assert (candidate.language, candidate.status) == ("rust", "accepted")
    with pytest.raises(KeyError, match="no candidate `nobody`"):
        search.candidate("nobody")
    with pytest.raises(reward_search.ProgramFailed, match="`nobody` is neither"):
        search.curves("nobody")
    assert {trial["state"] for trial in search.trials()} == {"complete"}
    frames = reward_search.open(database, pandas=True)
    curves = frames.curves(names[0])
    assert list(curves["step"]) == [1, 2]
    assert set(curves["arm"]) == {names[0]}
    outcomes, completions = frames.outcomes(), frames.completions("untouched")
    assert len(outcomes) % 20 == 0
    assert set(outcomes["outcome"]) <= {"correct", "wrong", "no_answer"}
    assert len(completions) == 20
    assert completions["completion"].map(lambda text: isinstance(text, str)).all()


def test_a_candidate_is_exported_from_here(database, tmp_path):
    search = reward_search.open(database)
    best = search.leaderboard()[0]["name"]
    folder = search.candidate(best).export(tmp_path / "best", to="trl")
    assert (folder / "for_trl.py").exists()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert [member["name"] for member in manifest["members"]][-1] == best
    assert (search.export(tmp_path / "top", top=1) / "manifest.json").exists()


def test_what_is_no_search_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="no database .*none.db"):
        reward_search.open(tmp_path / "none.db")
    (tmp_path / "text.db").write_text("no database at all, though there are quite some letters in it" * 100)
    with pytest.raises(reward_search.ProgramFailed, match="text.db"):
        reward_search.open(tmp_path / "text.db").summary()
