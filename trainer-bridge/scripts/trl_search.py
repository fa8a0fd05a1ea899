#!/usr/bin/env python3
"""The tiny base model trained by TRL itself, on the processor: what no test without torch can see.

    python3 trainer-bridge/scripts/trl_search.py [--venv DIR] [--work DIR] [--steps 25] [search] [kill] [faults] [compare]

`search` runs a search of two rounds with `kind = "trl"` and scores every rollout of every trial again with the program: each reward must be
equal to the last bit. `kill` kills such a search in the middle of a trial, runs it again and wants the leaderboard of the one that was not
killed. `faults` provokes what can go wrong with a real worker. `compare` trains with six rewards by both kinds of trainer and prints F1 side
by side. All of them if none is named.

The interpreter is made below --venv with the worker's own requirements the first time: about six gigabytes. REWARD_SEARCH_PROGRAM names the
program, else `cargo build --release` makes it. Exit code 1 if something is not as it must be.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "trainer-bridge/python/src/reward_search/worker/requirements.txt"

TRAINER = {
    "candle": 'kind = "candle"\nmodel = "toy"',
    "trl": 'kind = "trl"\nmodel = "toy"\ndevices = []\npython = "{python}"\nmicro_batch = 128\neval_batch = 250\nrollouts = "{work}/rollouts"',
}
SEARCH = """
[search]
name = "{name}"
seed = 1
rounds = 2
candidates_per_round = 2
max_concurrent_trials = 2
save_every = 2
[task]
kind = "toy"
[trainer]
{trainer}
[screen]
steps = {steps}
problems = {problems}
[ensemble]
sizes = []
[confirm]
seeds = 0
"""
#: Rewards to compare with: the base rewards, and three in Rust.
REWARDS = {
    "base/answer_check": None,
    "base/exact_format": None,
    "base/approximate_format": None,
    "correct": "pub fn reward(s: &Sample) -> f64 { if s.correct() { 1.0 } else { 0.0 } }",
    "steps": "pub fn reward(s: &Sample) -> f64 { valid_share(s.completion()) }",
    "short": "pub fn reward(s: &Sample) -> f64 { -(s.completion().len() as f64) / 100.0 }",
}


def run(command, **more):
    return subprocess.run([str(part) for part in command], check=True, **more)


def interpreter(venv):
    python = venv / "bin/python"
    if subprocess.run([python, "-c", "import trl"], capture_output=True).returncode if python.exists() else True:
        run([sys.executable, "-m", "venv", venv])
        run([python, "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off", "--requirement", REQUIREMENTS])
    return python


def program():
    named = os.environ.get("REWARD_SEARCH_PROGRAM")
    if not named:
        run(["cargo", "build", "--release", "-p", "orchestrator"], cwd=ROOT)
    return Path(named) if named else ROOT / "target/release/reward-search"


def descendants(root):
    """The processes that a process started, directly or not."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
    found, before = {root}, 0
    while len(found) != before:
        before = len(found)
        found |= {pid for pid, parent in parents.items() if parent in found}
    return found


def command_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


class Script:
    def __init__(self, arguments):
        self.work = arguments.work.resolve()
        self.work.mkdir(parents=True, exist_ok=True)
        self.program, self.steps, self.python = program(), arguments.steps, interpreter(arguments.venv.resolve())
        self.rewards = arguments.rewards.split(",") if arguments.rewards else list(REWARDS)

    def config(self, name, kind, steps, problems):
        trainer = TRAINER[kind].format(python=self.python, work=self.work / name)
        path = self.work / f"{name}.toml"
        path.write_text(SEARCH.format(name=name, trainer=trainer, steps=steps, problems=problems))
        return path

    def output(self, *arguments):
        return run([self.program, *arguments], cwd=self.work, stdout=subprocess.PIPE, text=True).stdout

    def leaderboard(self, name):
        board = json.loads(self.output("leaderboard", "--format", "json", "--database", f"{name}.db"))
        return [(row["name"], row["state"], row.get("f1")) for row in board["candidates"] + board["references"]]

    def search(self):
        """Two rounds, and every rollout scored again."""
        since = time.monotonic()
        self.output("run", self.config("straight", "trl", 4, 20))
        print(f"a search of two rounds: {time.monotonic() - since:.0f} s")
        for row in self.leaderboard("straight"):
            print("   ", row[0], row[1], row[2] and round(row[2]["point"], 3))
        rollouts = differences = 0
        for path in sorted((self.work / "straight/rollouts").glob("*.jsonl")):
            rows = [json.loads(line) for line in path.read_text().splitlines()]
            job = path.with_suffix(".job.json")
            scored = self.output("score", "--job", job, "--samples", self.samples(rows)).splitlines()
            for row, line in zip(rows, scored, strict=True):
                again = json.loads(line)
                rollouts += 1
                parts = again.get("components", {})
                same = all(value == parts.get(name, again["score"]) for name, value in row["rewards"].items())
                if not same or row["total"] != again["score"] or row["correct"] != again["correct"]:
                    differences += 1
                    print("    differs:", row, again)
        print(f"rollouts scored again: {rollouts}, of which {differences} differ")
        return rollouts > 0 and differences == 0

    def samples(self, rows):
        path = self.work / "samples.jsonl"
        path.write_text("".join(json.dumps({key: row[key] for key in ("prompt", "completion", "answer")}) + "\n" for row in rows))
        return path

    def kill(self):
        """The same search killed in the middle of a trial gives the same leaderboard."""
        if not (self.work / "straight.db").exists():
            self.output("run", self.config("straight", "trl", 4, 20))
        config = self.config("killed", "trl", 4, 20)
        process = subprocess.Popen([self.program, "run", config], cwd=self.work, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        checkpoints = self.work / "killed.db.checkpoints"
        while process.poll() is None and not any(checkpoints.glob("*/checkpoint-2.bin")):
            time.sleep(0.05)
        workers = self.workers(process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(3)
        left = {worker for worker in workers if "reward_search.worker" in command_of(worker)}
        print(f"killed with {len(workers)} workers under way; {len(left)} of them live on after three seconds")
        self.output("run", config)
        same = self.leaderboard("killed") == self.leaderboard("straight")
        print("the leaderboard is", "the same" if same else "ANOTHER")
        return same and workers and not left

    def workers(self, process):
        """The workers that a program has started."""
        return {pid for pid in descendants(process.pid) if f"{self.python} -m reward_search.worker" in command_of(pid)}

    def faults(self):
        """What goes wrong with a real worker is told as what it is."""
        trap = self.work / "trap.rs"
        trap.write_text("pub fn reward(s: &Sample) -> f64 { [1.0, 2.0][s.completion().len() + 2] }")
        runaway = {"[screen]": "[grpo]\nlearning_rate = 1e30\nwarmup_steps = 0\n[screen]"}
        cases = [
            ("a GPU that is not there", {"devices = []": "devices = [0]"}, "base/exact_format", "finds no GPU", False),
            ("a reward that panics", {}, trap, "failed at step 1", False),
            ("numbers that run away", runaway, "base/answer_check", "is not finite", False),
            ("a worker that is killed", {}, "base/answer_check", "signal 9", True),
        ]
        passed = True
        for what, changes, reward, expected, kills in cases:
            config = self.config("faulty", "trl", 6, 20)
            text = config.read_text()
            for old, new in changes.items():
                text = text.replace(old, new)
            config.write_text(text)
            command = [self.program, "train", config, "--reward", reward]
            process = subprocess.Popen(list(map(str, command)), cwd=self.work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            said = []
            for line in process.stdout:
                said.append(line)
                if kills and " 2/6" in line:
                    for worker in self.workers(process):
                        os.kill(worker, signal.SIGKILL)
            process.wait()
            error = next((line.strip() for line in reversed(said) if line.startswith("error")), f"no error: {said[-1:]}")
            good = process.returncode != 0 and expected in error
            passed &= good
            print("as it must be" if good else "NOT AS IT MUST BE", "|", what, "|", error, flush=True)
        return passed

    def compare(self):
        """F1 after some steps of a few rewards, by both kinds of trainer."""
        figures = {}
        for name in self.rewards:
            reward, code = name, REWARDS[name]
            if code:
                reward = self.work / f"{name}.rs"
                reward.write_text(code)
            for kind in ("candle", "trl"):
                folder = self.work / f"{kind}-{name.replace('/', '-')}"
                since = time.monotonic()
                self.output("train", self.config(f"compare-{kind}", kind, self.steps, 500), "--reward", reward, "--out", folder)
                result = json.loads((folder / "result.json").read_text())
                figures[name, kind] = (round(result["figures"]["f1"]["point"], 3), round(time.monotonic() - since))
            print(name, *(f"{kind} {json.dumps(figures[name, kind])}" for kind in ("candle", "trl")), flush=True)
        return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--venv", type=Path, default=ROOT / "target/trl/venv")
    parser.add_argument("--work", type=Path, default=ROOT / "target/trl/work")
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--rewards", help="names of the rewards to compare, parted by commas; all six if absent")
    parser.add_argument("what", nargs="*", choices=["search", "kill", "faults", "compare", []])
    arguments = parser.parse_args()
    script = Script(arguments)
    passed = [getattr(script, what)() for what in arguments.what or ["search", "kill", "faults", "compare"]]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
