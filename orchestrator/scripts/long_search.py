"""Whether a search of very many rounds stays small and quick, and whether readers slow it.

    python3 orchestrator/scripts/long_search.py target/release/reward-search [--rounds 2000] [--readers 8]

Runs a search with a trainer that trains nothing, a candidate a round in Python, so that rounds take moments. Prints the program's memory and its processor time by round; with --readers runs it twice, without and with that many readers who load its pages, each as often as an open page does, and
prints both times. Needs Python 3.9, Linux, and the Python guest (`reward-search guest build`).
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


def drafts(rounds: int) -> list[dict]:
    """A candidate a round, each another function, in Python, which takes no compiler."""
    code = "def reward(completions, answer, **kwargs):\n    return [{n}.0 * (a in c) + {rest} for c, a in zip(completions, answer)]\n"
    return [
        {"name": f"draft-{n}", "language": "python", "code": code.format(n=n + 1, rest=n % 5), "rationale": "a test", "round": n + 1} for n in range(rounds)
    ]


def status(pid: int) -> tuple[float, float]:
    """MiB and seconds of the processor, its children left out; zeros where it has ended."""
    try:
        memory = Path(f"/proc/{pid}/status").read_text().splitlines()
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0, 0.0
    resident = sum(int(line.split()[1]) for line in memory if line.startswith("VmRSS")) / 1024
    return resident, (int(fields[11]) + int(fields[12])) / TICK


def rounds_done(database: Path) -> int:
    """Rounds that are ranked, by a look that costs the search nothing."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as look:
        return look.execute("SELECT count(*) - 1 FROM rounds WHERE finished_at IS NOT NULL").fetchone()[0]
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


def search(program: Path, rounds: int, readers: int) -> tuple[float, float, int]:
    """Wall and processor seconds, and pages read."""
    with tempfile.TemporaryDirectory(prefix="long-") as name:
        folder = Path(name)
        settings = {"search.rounds": rounds, "search.candidates_per_round": 1, "search.max_concurrent_trials": 1, "screen.steps": 20, "screen.problems": 100}
        prepare(folder, drafts(rounds), settings)
        began = time.time()
        child = subprocess.Popen(
            [program, "run", "search.toml", "--database", "x.db", "--quiet"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        folk, told, processor = None, 0, 0.0
        step = max(1, rounds // 20)
        while child.poll() is None:
            time.sleep(0.25)
            resident, used = status(child.pid)
            processor = max(processor, used)
            done = rounds_done(folder / "x.db") if (folder / "x.db").exists() else 0
            if readers and folk is None and done:
                folk = Readers(program, folder, readers)
            if done >= told + step and resident:
                told = done
                print(f"round {done:5}: {resident:6.1f} MiB, {used:7.1f} s of the processor, after {time.time() - began:5.0f} s", flush=True)
        took = time.time() - began
        if folk:
            folk.end()
        assert child.returncode in (0, 3), child.stderr.read()
        return took, processor, folk.pages if folk else 0


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("program", type=Path)
    arguments.add_argument("--rounds", type=int, default=2000)
    arguments.add_argument("--readers", type=int, default=0)
    asked = arguments.parse_args()
    program = asked.program.resolve()
    alone, used, _ = search(program, asked.rounds, 0)
    print(f"{asked.rounds} rounds in {alone:.0f} s, {used:.1f} s of the processor")
    if asked.readers:
        beside, used_beside, pages = search(program, asked.rounds, asked.readers)
        print(f"with {asked.readers} readers, who were shown {pages} pages: {beside:.0f} s, {used_beside:.1f} s of the processor")
    return 0


if __name__ == "__main__":
    sys.exit(main())
