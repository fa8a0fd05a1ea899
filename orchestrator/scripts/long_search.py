"""Whether a search of very many rounds stays small, and whether readers slow it.

    python3 orchestrator/scripts/long_search.py target/release/reward-search [--rounds 2000] [--readers 8]

Runs a search with a trainer that trains nothing, a candidate a round in Python, so that rounds take moments. Prints the program's memory by round; with --readers
runs it twice, without and with that many readers who load every page of it as fast as they are answered, and prints both times. Needs Python 3.9, Linux, and
the Python guest (`reward-search guest build`).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

CONFIG = """
[search]
name = 'long'
seed = 7
rounds = {rounds}
candidates_per_round = 1
max_concurrent_trials = 1
[task]
kind = 'gsm8k'
path = 'sums'
dev_size = 100
[proposer]
kind = 'replay'
path = 'drafts.jsonl'
[trainer]
kind = 'fake'
[screen]
steps = 20
problems = 100
gate.refuse_flat = false
gate.replace_twins = false
[ensemble]
sizes = []
[confirm]
seeds = 0
"""


def prepare(folder: Path, rounds: int) -> None:
    (folder / "sums").mkdir()
    for name, count, first in (("train", 400, 2), ("test", 100, 1000)):
        rows = [{"question": f"tom has {n} apples and gets {n % 7 + 1} more . how many now ?", "answer": f"#### {n + n % 7 + 1}"} for n in range(first, first + count)]
        (folder / "sums" / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with (folder / "drafts.jsonl").open("w") as out:
        for n in range(rounds):
            code = f"def reward(completions, answer, **kwargs):\n    return [{n + 1}.0 * (a in c) + {n % 5} for c, a in zip(completions, answer)]\n"
            out.write(json.dumps({"name": f"draft-{n}", "language": "python", "code": code, "rationale": "a test", "round": n + 1}) + "\n")
    (folder / "search.toml").write_text(CONFIG.format(rounds=rounds))


def resident_mib(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


class Readers:
    """Readers of every page of a search, until they are told to stop."""

    def __init__(self, program: Path, folder: Path, count: int):
        self.server = subprocess.Popen([program, "serve", "x.db", "--port", "0"], cwd=folder, stdout=subprocess.PIPE, text=True)
        self.address = self.server.stdout.readline().strip().rstrip("/")
        self.going, self.pages = True, 0
        self.threads = [threading.Thread(target=self.read) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def read(self) -> None:
        while self.going:
            for page in ("", "s/1-1", "s/1-1/lineage", "s/1-1/ensembles", "s/1-1/refused", "s/1-1/compare", "s/1-1/leaderboard.json"):
                try:
                    urllib.request.urlopen(f"{self.address}/{page}", timeout=60).read()
                    self.pages += 1
                except OSError:
                    time.sleep(0.1)

    def end(self) -> None:
        self.going = False
        for thread in self.threads:
            thread.join()
        self.server.kill()


def search(program: Path, rounds: int, readers: int) -> tuple[float, float, int]:
    """Wall and processor seconds, and pages read."""
    with tempfile.TemporaryDirectory(prefix="long-") as name:
        folder = Path(name)
        prepare(folder, rounds)
        began = time.time()
        child = subprocess.Popen([program, "run", "search.toml", "--quiet"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        folk, at, done = None, 0, 0
        while child.poll() is None:
            time.sleep(0.5)
            used = Path(f"/proc/{child.pid}/stat").read_text().rsplit(")", 1)[1].split() if child.poll() is None else None
            if used:
                processor = (int(used[11]) + int(used[12])) / 100
            if readers and folk is None and (folder / "x.db").exists():
                folk = Readers(program, folder, readers)
            if not readers and time.time() - at > 5:
                at = time.time()
                asked = subprocess.run([program, "leaderboard", "--format", "json"], cwd=folder, capture_output=True, text=True)
                if asked.returncode == 0:
                    done = len(json.loads(asked.stdout)["rounds"])
                    print(f"round {done:5}: {resident_mib(child.pid):6.1f} MiB after {time.time() - began:5.0f} s", flush=True)
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
