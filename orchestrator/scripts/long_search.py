"""Whether a search that has gone on for very long is still small and quick, and whether readers slow it.

    python3 orchestrator/scripts/long_search.py target/release/reward-search [--rounds 2000] [--a-round 5] [--lived 6] [--readers 8]

Lives through a few rounds with a trainer that trains nothing, has them copied in the database until it is as that many rounds would leave it, and lives through a
few more, from another start of the program; then through a few with readers who load all its pages, each as often as an open page does. Prints the program's memory and its processor time
a round. Needs Python 3.9, Linux, and the Python guest (`reward-search guest build`).
"""

from __future__ import annotations

import argparse
import contextlib
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from fake_search import prepare

PAGES = ("", "s/1-1", "s/1-1/lineage", "s/1-1/ensembles", "s/1-1/refused", "s/1-1/compare", "s/1-1/leaderboard.json")
TICK = 100  # of the processor's clock, a second
STEPS = 20
CODE = "def reward(completions, answer, **kwargs):\n    return [{n}.0 * (a in c) + {rest} for c, a in zip(completions, answer)]\n"


def drafts(rounds: list[int]) -> list[dict]:
    """A candidate a round, each another function, in Python, which takes no compiler."""
    code = {n: CODE.format(n=n, rest=n % 5) for n in rounds}
    return [{"name": f"draft-{n}", "language": "python", "code": code[n], "rationale": "a test", "round": n} for n in rounds]


def columns(database: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in database.execute(f"PRAGMA table_info({table})")]


def copy(database: sqlite3.Connection, table: str, where: tuple[str, int], changed: dict) -> int:
    """Copies the rows of a table in which a column has a value, with other values in some columns; returns the key of the last."""
    names = [name for name in columns(database, table) if name != "id" or "id" in changed]
    values = [f":{name}" if name in changed else name for name in names]
    sql = f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values)} FROM {table} WHERE {where[0]} = :the_key"
    return database.execute(sql, {**changed, "the_key": where[1]}).lastrowid


def grow(path: Path, lived: int, rounds: int, a_round: int) -> None:
    """Copies the rounds that were lived through until there are so many."""
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        sources = database.execute(
            "SELECT c.id, t.id FROM candidates c JOIN trials t ON t.candidate_id = c.id WHERE c.origin = 'round' AND t.state = 'complete' ORDER BY c.id"
        ).fetchall()
        assert len(sources) == lived, sources
        for number in range(lived + 1, rounds - lived + 1):
            copy(database, "rounds", ("round", 1), {"round": number})
            for place in range(a_round):
                candidate, trial = sources[(number + place) % lived]
                name = f"copy-{number}-{place}"
                new = copy(database, "candidates", ("id", candidate), {"round": number, "name": name, "sha256": f"{number:032x}{place:032x}"})
                copy(database, "modules", ("candidate_id", candidate), {"candidate_id": new})
                run = copy(database, "trials", ("id", trial), {"candidate_id": new, "job": None})
                for table in ("events", "evaluations", "completions", "traces"):
                    copy(database, table, ("trial_id", trial), {"trial_id": run})


def status(pid: int) -> tuple[float, float]:
    """MiB at most so far and seconds of the processor, its children left out; zeros where it has ended."""
    try:
        memory = Path(f"/proc/{pid}/status").read_text().splitlines()
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0, 0.0
    highest = sum(int(line.split()[1]) for line in memory if line.startswith("VmHWM")) / 1024
    return highest, (int(fields[11]) + int(fields[12])) / TICK


def rounds_done(path: Path) -> int:
    """The last round that is ranked, by a look that costs the search nothing."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as look:
        return look.execute("SELECT ifnull(max(round), 0) FROM rounds WHERE finished_at IS NOT NULL").fetchone()[0]
    return 0


class Readers:
    """Readers of every page of a search, until they are told to stop."""

    def __init__(self, program: Path, folder: Path, count: int):
        self.server = subprocess.Popen([program, "serve", "x.db", "--port", "0"], cwd=folder, stdout=subprocess.PIPE, text=True)
        self.address = next(word for word in self.server.stdout.readline().split() if word.startswith("http")).rstrip("/")
        self.going, self.pages = True, 0
        self.threads = [threading.Thread(target=self.read) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def read(self) -> None:
        while self.going:
            for page in PAGES:
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"{self.address}/{page}", timeout=60).read()
                    self.pages += 1
                time.sleep(1.0)  # an open page asks once a second

    def end(self) -> None:
        self.going = False
        for thread in self.threads:
            thread.join()
        self.server.kill()


def live(program: Path, folder: Path, until: int, readers: int = 0) -> str:
    """Has the search run until so many rounds are ranked, and ends it; what it took from its first round on."""
    database = folder / "x.db"
    child = subprocess.Popen(
        [program, "run", "search.toml", "--database", "x.db", "--quiet"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    folk = Readers(program, folder, readers) if readers else None
    at: dict[int, tuple[float, float, float]] = {}
    while child.poll() is None and rounds_done(database) < until:
        time.sleep(0.05)
        at.setdefault(rounds_done(database), (time.time(), *status(child.pid)))
    at.setdefault(until, (time.time(), *status(child.pid)))
    child.kill()
    _, err = child.communicate()
    if folk:
        folk.end()
    assert rounds_done(database) >= until, err
    # The first round that is seen to end here is the program's start as well.
    (first, begun), (last, ended) = sorted(at.items())[1], sorted(at.items())[-1]
    count = max(1, last - first)
    told = f"rounds {first + 1} to {last}: {(ended[2] - begun[2]) / count:.2f} s of the processor and {(ended[0] - begun[0]) / count:.1f} s a round, at most {ended[1]:.0f} MiB"
    return told + (f", with {readers} readers, who were shown {folk.pages} pages" if folk else "")


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("program", type=Path)
    arguments.add_argument("--rounds", type=int, default=2000)
    arguments.add_argument("--a-round", type=int, default=5, help="candidates of a copied round")
    arguments.add_argument("--lived", type=int, default=6, help="rounds that are lived through at the start, at the end, and with readers")
    arguments.add_argument("--readers", type=int, default=8)
    asked = arguments.parse_args()
    program, lived, rounds = asked.program.resolve(), asked.lived, asked.rounds
    with tempfile.TemporaryDirectory(prefix="long-") as name:
        folder = Path(name)
        numbers = [*range(1, lived + 2), *range(rounds - lived + 1, rounds + lived + 2)]
        settings = {"search.rounds": rounds + 10 * lived, "search.candidates_per_round": 1, "search.max_concurrent_trials": 1, "screen.steps": STEPS, "screen.problems": 100}
        prepare(folder, drafts(numbers), settings)
        print(live(program, folder, lived), flush=True)
        forget_rest(folder / "x.db", lived)
        grow(folder / "x.db", lived, rounds, asked.a_round)
        print(f"copied until round {rounds - lived}: {(folder / 'x.db').stat().st_size / 2**20:.0f} MiB", flush=True)
        print(live(program, folder, rounds), flush=True)
        print(live(program, folder, rounds + lived, asked.readers), flush=True)
    return 0


def forget_rest(path: Path, lived: int) -> None:
    """Takes back what a round left that was begun after the last that counts."""
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        begun = [row[0] for row in database.execute("SELECT id FROM candidates WHERE round > ?", (lived,))]
        for candidate in begun:
            for (trial,) in database.execute("SELECT id FROM trials WHERE candidate_id = ?", (candidate,)).fetchall():
                for table in ("events", "trials"):
                    database.execute(f"DELETE FROM {table} WHERE {'id' if table == 'trials' else 'trial_id'} = ?", (trial,))
            database.execute("DELETE FROM modules WHERE candidate_id = ?", (candidate,))
            database.execute("DELETE FROM candidates WHERE id = ?", (candidate,))
        database.execute("DELETE FROM rounds WHERE round > ?", (lived,))


if __name__ == "__main__":
    sys.exit(main())
