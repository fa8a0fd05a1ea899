"""What befalls a search from outside, one fault after another; prints the table of docs/faults.md.

    python3 orchestrator/scripts/fault_matrix.py target/release/reward-search [--only NAME] [--every N]

Needs Python 3.9 and nothing else. Full and read-only disks are small file systems of their own, for which it must be run as root; elsewhere these rows say that they
were left out. A search here is a real one but for its trainer, which trains nothing; what a killed training loses is orchestrator/tests/kills.rs.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fake_search import prepare

RIGHT = "pub fn reward(sample: &Sample) -> f64 { f64::from(u8::from(sample.correct())) }"
DRAFTS = {
    "right": RIGHT,
    "inverted": RIGHT.replace("{ f64", "{ -f64"),
    "flat": "pub fn reward(_sample: &Sample) -> f64 { 1.0 }",
    "broken": "pub fn reward(sample: &Sample) -> f64 { sample.nonsense() }",
}
SETTINGS = {
    "search.save_every": 2,
    "trainer.step_ms": 0,
    "ensemble.sizes": [2],
    "confirm.steps": 6,
    "confirm.problems": 50,
    "confirm.seeds": 2,
    "confirm.candidates": 1,
}
KILL = "REWARD_SEARCH_KILL_AT_COMMIT"
CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>
/* The wall clock leaps a day to and fro with every few looks at it; the steady clock stays steady. */
static int leap(void) { static int looks; return ++looks / 5 % 2 ? 86400 : 0; }
int clock_gettime(clockid_t id, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int rc = real(id, now);
    if (id == CLOCK_REALTIME) now->tv_sec -= leap();
    return rc;
}
int gettimeofday(struct timeval *now, void *zone) {
    static int (*real)(struct timeval *, void *);
    if (!real) real = dlsym(RTLD_NEXT, "gettimeofday");
    int rc = real(now, zone);
    now->tv_sec -= leap();
    return rc;
}
"""


class Left(Exception):
    """A fault that cannot be had on this machine."""


class Search:
    """A folder with a search in it."""

    program: Path

    def __init__(self, folder: Path, step_ms: int = 0):
        self.folder = folder
        drafts = [{"name": name, "code": code, "rationale": "a test"} for name, code in DRAFTS.items()]
        prepare(folder, drafts, {**SETTINGS, "trainer.step_ms": step_ms})

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen:
        return subprocess.Popen(
            [self.program, *arguments], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env={**os.environ, **environment},
        )

    def do(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        child = self.start(*arguments, **environment)
        out, err = child.communicate(timeout=300)
        return child.returncode, out, err

    def run(self, **environment: str) -> tuple[int, str]:
        code, _, err = self.do("run", "search.toml", "--database", "x.db", **environment)
        return code, err

    def board(self) -> str:
        code, out, err = self.do("leaderboard", "--database", "x.db", "--format", "json")
        assert code == 0, err
        return out

    def ends_as(self, calm: str) -> None:
        """The same command comes to its end, and to the same leaderboard."""
        code, err = self.run()
        assert code == 0, err
        assert self.board() == calm, "another leaderboard"


def last_line(err: str) -> str:
    lines = [line for line in err.strip().splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""


def new(home: Path, step_ms: int = 0) -> Search:
    return Search(Path(tempfile.mkdtemp(dir=home)), step_ms)


def kills(home: Path, calm: str, every: int) -> str:
    at, tried = 1, 0
    while True:
        search = new(home)
        code, _ = search.run(**{KILL: str(at)})
        if code == 0:
            return f"{tried} of its {at - 1} commits tried: the same leaderboard each time"
        search.ends_as(calm)
        shutil.rmtree(search.folder)
        at, tried = at + every, tried + 1


def kills_again_and_again(home: Path, calm: str, _: int) -> str:
    search, sittings = new(home), 0
    while search.run(**{KILL: "15"})[0] != 0:
        sittings += 1
        assert sittings < 100, "it comes to no end"
    assert search.board() == calm
    return f"killed at the 15th commit of each of {sittings} sittings, it comes to its end, and to the same leaderboard"


def kills_at_random(home: Path, calm: str, _: int) -> str:
    search, tried = new(home, 15), 0
    for _ in range(12):
        child = search.start("run", "search.toml", "--database", "x.db")
        time.sleep(random.uniform(0.05, 1.0))
        tried += child.poll() is None
        child.kill()
        child.communicate()
    search.ends_as(calm)
    return f"{tried} kills at random moments: the same leaderboard"


def torn_journal(home: Path, calm: str, _: int) -> str:
    tried = 0
    for _ in range(25):
        search = new(home)
        search.run(**{KILL: str(random.randrange(20, 100))})
        journal = search.folder / "x.db-wal"
        if not journal.exists():
            continue
        data = bytearray(journal.read_bytes())
        keep = random.randrange(len(data) + 1)
        data = data[:keep]
        if keep and random.random() < 0.5:  # the last sectors half written
            for place in range(max(0, keep - 600), keep):
                data[place] = random.randrange(256)
        journal.write_bytes(data)
        (search.folder / "x.db-shm").unlink(missing_ok=True)
        search.ends_as(calm)
        shutil.rmtree(search.folder)
        tried += 1
    return f"{tried} journals cut or garbled at random places: what was in them is done again, the same leaderboard"


@contextlib.contextmanager
def mounted(home: Path, size: str):
    folder = Path(tempfile.mkdtemp(dir=home))
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, text=True)
    if made.returncode:
        raise Left(f"needs a file system of its own: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def fill(ballast: Path, left_kib: int) -> None:
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(16384)):
            pass
    os.truncate(ballast, max(0, ballast.stat().st_size - left_kib * 1024))


def full_disk(home: Path, calm: str, _: int) -> str:
    said = set()
    for left in (0, 16, 64, 128):
        with mounted(home, "200m") as folder:
            search = Search(folder / "s", 60)
            child = search.start("run", "search.toml", "--database", "x.db")
            time.sleep(1.5)
            assert child.poll() is None, child.communicate()[1]
            fill(folder / "ballast", left)
            _, err = child.communicate(timeout=120)
            assert child.returncode == 1 and "panicked" not in err, (left, child.returncode, err)
            said.add(last_line(err))
            looked = search.do("leaderboard", "--database", "x.db")
            assert looked[0] == 0, looked
            again = search.run()
            assert again[0] == 1 and "free" in again[1], again
            (folder / "ballast").unlink()
            search.ends_as(calm)
    return f"filled under way, with 0 to 128 KiB left: exit code 1 (`{sorted(said)[0][:110]}`), the ranking can be looked at, a new start is refused for want of room; with room again the same leaderboard"


def read_only(home: Path, calm: str, _: int) -> str:
    with mounted(home, "500m") as folder:
        search = Search(folder / "s")
        search.run(**{KILL: "40"})
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        code, err = search.run()
        assert code == 1 and "panicked" not in err, (code, err)
        looked = search.do("leaderboard", "--database", "x.db")
        subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
        search.ends_as(calm)
    shown = "the ranking is shown" if looked[0] == 0 else f"the ranking cannot be shown (`{last_line(looked[2])[:90]}`)"
    return f"exit code 1 (`{last_line(err)[:130]}`); {shown}; writable again, the same leaderboard"


def locked(home: Path, calm: str, _: int) -> str:
    search = new(home)
    search.run(**{KILL: "40"})
    other = sqlite3.connect(search.folder / "x.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    child = search.start("run", "search.toml", "--database", "x.db")
    time.sleep(5)
    assert child.poll() is None, child.communicate()[1]
    other.execute("COMMIT")
    assert child.wait(timeout=120) == 0
    assert search.board() == calm
    search = new(home)
    search.run(**{KILL: "40"})
    other = sqlite3.connect(search.folder / "x.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    code, err = search.run()
    assert code == 1, (code, err)
    other.execute("COMMIT")
    search.ends_as(calm)
    return f"5 s: waited for; beyond 30 s exit code 1 (`{last_line(err)[:130]}`), and later the same leaderboard"


def two_at_once(home: Path, calm: str, _: int) -> str:
    search = new(home, 40)
    first = search.start("run", "search.toml", "--database", "x.db")
    time.sleep(1.5)
    code, err = search.run()
    assert code == 2 and "in use" in err, (code, err)
    first.communicate()
    assert first.returncode == 0 and search.board() == calm
    return f"the second is refused (`{last_line(err)[:110]}`), the first goes on"


def clock(home: Path, calm: str, _: int) -> str:
    compiler = shutil.which("cc")
    if not compiler or sys.platform != "linux":
        raise Left("needs Linux and a C compiler")
    source, library = home / "clock.c", home / "clock.so"
    source.write_text(CLOCK)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    search = new(home)
    code, err = search.run(LD_PRELOAD=str(library))
    assert code == 0, err
    assert search.board() == calm
    with sqlite3.connect(search.folder / "x.db") as database:
        times = [row[0] for row in database.execute("SELECT created_at FROM candidates UNION SELECT finished_at FROM trials")]
    leaps = "they do show in the stored times" if len({time[:10] for time in times if time}) > 1 else "none of the leaps was seen in the stored times"
    return f"the wall clock leaps a day to and fro all the time: the same leaderboard ({leaps})"


def of_folder(folder: Path) -> set[int]:
    """Processes that stand in the folder or name it."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (entry / "cmdline").read_bytes().decode(errors="replace")
            if str(folder) in line or os.readlink(entry / "cwd").startswith(str(folder)):
                found.add(int(entry.name))
    return found


def orphans(home: Path, calm: str, _: int) -> str:
    if not Path("/proc/self").exists():
        raise Left("needs /proc")
    seen = 0
    search = new(home)
    for _ in range(12):
        scratch = Path(tempfile.mkdtemp(dir=home))
        child = search.start("run", "search.toml", "--database", "x.db", TMPDIR=str(scratch))
        until = time.time() + random.uniform(0.1, 0.8)
        while time.time() < until:
            seen += bool(of_folder(scratch) - {child.pid})
            time.sleep(0.005)
        child.kill()
        child.communicate()
        end = time.time() + 5
        while of_folder(scratch) and time.time() < end:
            time.sleep(0.02)
        assert not of_folder(scratch), f"left over: {of_folder(scratch)}"
    search.ends_as(calm)
    return f"12 kills, compilers seen at work {seen} times: none is left after its parent, and the next run is not disturbed"


def schemas(home: Path, _: str, every: int) -> str:
    fixtures = Path(__file__).resolve().parents[1] / "tests/fixtures/databases"
    tried = 0
    for old in sorted(fixtures.glob("*.db")):
        golden = old.with_suffix(".json").read_text()
        at = 1
        while True:
            search = new(home)
            shutil.copy(old, search.folder / "x.db")
            code, err = search.run(**{KILL: str(at)})
            search.run()
            assert search.board() == golden, f"{old.name}, killed at commit {at}"
            shutil.rmtree(search.folder)
            tried += 1
            if code == 2:  # the upgrade is over; the search is another one
                break
            at += 1
    search = new(home)
    search.run()
    with sqlite3.connect(search.folder / "x.db") as database:
        database.execute("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 0)")
    database.close()
    before = (search.folder / "x.db").read_bytes()
    code, err = search.run()
    assert code == 2 and (search.folder / "x.db").read_bytes() == before
    return f"{tried} upgrades of older files, killed at each of their commits: the leaderboard they always showed; a newer file is refused untouched (`{last_line(err)[:90]}`)"


def stop_twice(home: Path, calm: str, _: int) -> str:
    search, codes = new(home, 30), set()
    for pause in (0.0, 0.01, 0.2):
        child = search.start("run", "search.toml", "--database", "x.db")
        time.sleep(1.2)
        child.send_signal(signal.SIGINT)
        time.sleep(pause)
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(signal.SIGINT)
        child.communicate(timeout=30)
        codes.add(child.returncode)
    assert codes <= {130, -2}, codes
    search.ends_as(calm)
    return "exit code 130, at once; the same leaderboard later"


FAULTS = {
    "killed before a commit": kills,
    "killed in every sitting": kills_again_and_again,
    "killed at random": kills_at_random,
    "torn journal (power cut)": torn_journal,
    "disk full": full_disk,
    "read-only disk": read_only,
    "locked by another program": locked,
    "two runs on one database": two_at_once,
    "clock jumps": clock,
    "children of a dead parent": orphans,
    "older and newer schemas": schemas,
    "Ctrl-C twice": stop_twice,
}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("program", type=Path)
    arguments.add_argument("--only", help="faults whose names contain this")
    arguments.add_argument("--every", type=int, default=1, help="kill at every N-th commit")
    arguments.add_argument("--seed", type=int, default=1)
    asked = arguments.parse_args()
    Search.program = asked.program.resolve()
    random.seed(asked.seed)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        home = Path(name)
        search = new(home)
        code, err = search.run()
        assert code == 0, err
        calm = search.board()
        print("| fault | what happens |\n|---|---|", flush=True)
        for fault, judge in FAULTS.items():
            if asked.only and asked.only not in fault:
                continue
            try:
                told = judge(home, calm, asked.every)
            except Left as why:
                told = f"left out here: {why}"
            except (AssertionError, OSError, subprocess.SubprocessError) as error:
                told, failed = f"**FAILED**: {error}", failed + 1
            print(f"| {fault} | {told} |", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
