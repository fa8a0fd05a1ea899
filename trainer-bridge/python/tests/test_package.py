"""The package as such: its types as its users see them, and versions that are said in one place and hold in all."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1]
EXPORT = HERE.parents[1] / "orchestrator/src/reward/export/package"
USER = """
import reward_search

rewards = reward_search.rewards("mine.rs", weights=[1.0], on_fault=None)
reveal_type(rewards[0](completions=["4"], answer=["4"]))
reveal_type(rewards.config)
reveal_type(reward_search.open("search.db").candidate("right").source)
reward_search.rewards("mine.rs", on_fault="ignore")
"""


def test_a_user_s_type_checker_sees_the_types(tmp_path):
    (tmp_path / "user.py").write_text(USER)
    (tmp_path / "site").mkdir()
    (tmp_path / "site/reward_search").symlink_to(HERE / "src/reward_search")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache", "user.py"]
    # As an installed package is: types count there only where py.typed says so.
    done = subprocess.run([*map(str, command)], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "site")}, capture_output=True, text=True, check=False)
    said = re.sub(r"builtins\.|typing\.", "", done.stdout)
    for line, revealed in ((5, 'list[float | None]"'), (6, 'dict[str, Any]"'), (7, '"str"')):
        assert re.search(rf'user.py:{line}: note: Revealed type is .*{re.escape(revealed)}', said), said
    assert 'user.py:8: error: Argument "on_fault"' in said
    assert "found 1 error" in said.lower(), said


def extras():
    """The extras' requirements, by name."""
    tomllib = pytest.importorskip("tomllib", reason="Python 3.11 reads TOML")
    return tomllib.loads((HERE / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def pinned(file):
    return [line for line in file.read_text().splitlines() if line and not line.startswith("#")]


def test_the_worker_s_versions_are_the_extra_s():
    assert sorted(extras()["trl"]) == sorted(pinned(HERE / "src/reward_search/worker/requirements.txt"))


def test_the_version_of_wasmtime_is_the_same_wherever_it_is_said():
    [wasmtime] = extras()["export"]
    assert wasmtime in pinned(HERE / "tests/requirements.txt")
    files = [EXPORT / "sandbox.py", EXPORT / "README.md.jinja", HERE.parents[1] / "docs/exporting.md"]
    assert {found for file in files for found in re.findall(r"wasmtime==[\d.]+", file.read_text())} == {wasmtime}
