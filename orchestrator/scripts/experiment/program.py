"""Runs the program and reads what it stored: searches sitting by sitting, each finished one a JSON line."""
import hashlib, json, os, pathlib, shutil, subprocess, threading

CONFIG = """[search]
name = "{name}"
seed = {seed}
rounds = {rounds}
candidates_per_round = {candidates}
max_concurrent_trials = 1
feedback = {feedback}
seed_rewards = {rewards}
[task]
kind = "toy"
{world}
[screen]
{screen}
gate = {gate}
[ensemble]
{ensemble}
[confirm]
steps = {confirm_steps}
problems = 500
seeds = {confirm_seeds}
candidates = {confirmed}
"""
USUAL = dict(rounds=1, candidates=1, feedback="true", rewards="[]", screen="steps = 25\nproblems = 500", gate="{ refuse_flat = true }",
             ensemble="sizes = []", confirm_steps=60, confirm_seeds=0, confirmed=1)


class Failed(Exception):
    """A program that ended otherwise than it should."""


class Lines:
    """A file of JSON lines that is only ever added to: what is in it is not done again."""

    def __init__(self, path):
        self.path, self.lock = pathlib.Path(path), threading.Lock()
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def all(self):
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text().splitlines() if line.strip()]

    def one(self, **key):
        return next((line for line in self.all() if all(line.get(k) == v for k, v in key.items())), None)

    def has(self, **key):
        return self.one(**key) is not None

    def add(self, line):
        with self.lock, open(self.path, "a") as file:
            file.write(json.dumps(line, separators=(",", ":")) + "\n")


class Program:
    """One build of reward-search, and the folder where the databases lie."""

    def __init__(self, path, folder):
        self.path, self.folder = str(pathlib.Path(path).resolve()), pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        version = subprocess.run([self.path, "--version"], check=True, capture_output=True, text=True).stdout.split()[-1]
        self.running = set()
        self.version = f"{version} ({hashlib.sha256(pathlib.Path(self.path).read_bytes()).hexdigest()[:12]})"

    def call(self, *arguments):
        """What the program prints, and the processor seconds of it and of the compilers that it started."""
        printed, usage = self.measured(*arguments)
        return printed, usage.ru_utime + usage.ru_stime

    def measured(self, *arguments):
        """What the program prints, and what it and its children used."""
        process = subprocess.Popen([self.path, "--quiet", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.running.add(process)
        errors = []
        reader = threading.Thread(target=lambda: errors.append(process.stderr.read()))
        reader.start()
        printed = process.stdout.read()
        reader.join()
        _, status, usage = os.wait4(process.pid, 0)
        self.running.discard(process)
        process.returncode = os.waitstatus_to_exitcode(status)
        # 3: the search ended and nothing in it is better than the untouched model, which is a result.
        if process.returncode not in (0, 3):
            raise Failed(f"{' '.join(map(str, arguments))}: {errors[0][-2000:]}")
        return printed, usage

    def stop(self, *_):
        """Ends what runs, and this script; the same command goes on."""
        for process in list(self.running):
            process.terminate()
        os._exit(130)

    def records(self, what, database, *more):
        return [json.loads(line) for line in self.call("records", what, "-d", database, *more)[0].splitlines()]

    def leaderboard(self, database):
        return json.loads(self.call("leaderboard", "-d", database, "--format", "json")[0])


class Search:
    """One database and the sittings it has had. A sitting that was done is not done again; one that was cut off goes on where it was."""

    def __init__(self, program, name, world, seed):
        self.program, self.name, self.world, self.seed = program, name, world, seed
        self.database, self.log = program.folder / f"{name}.db", program.folder / f"{name}.sittings.json"

    def sittings(self):
        return json.loads(self.log.read_text()) if self.log.exists() else {}

    def begins_as(self, other):
        """Goes on from where `other` stands now, as if its sittings had been this one's."""
        if not self.log.exists():
            shutil.copyfile(other.database, self.database)
            self.log.write_text(json.dumps({key: dict(s, shared=True) for key, s in other.sittings().items()}))

    def sit(self, label, **settings):
        done = self.sittings()
        if label in done and "cpu_s" in done[label]:
            return
        cut_off = done.get(label, {}).get("begun", 0)
        done[label] = dict(begun=cut_off + 1)
        self.log.write_text(json.dumps(done))
        config = self.program.folder / f"{self.name}.toml"
        world = "" if self.world == "rounding" else f'world = "{self.world}"'
        config.write_text(CONFIG.format(name=self.name, seed=self.seed, world=world, **(USUAL | settings)))
        _, cpu = self.program.call("run", config, "--database", self.database)
        # Processor seconds of sittings that were cut off are lost; their number is kept.
        done[label] = dict(cpu_s=round(cpu, 2), cut_off=cut_off)
        self.log.write_text(json.dumps(done))

    def cpu_s(self):
        return round(sum(s["cpu_s"] for s in self.sittings().values()), 1)

    def was_cut_off(self):
        return sum(s["cut_off"] for s in self.sittings().values())

    def steps(self):
        """Optimiser steps of candidates and mixes on Dev, and those of controls and finalists. A run that climbed is counted once."""
        runs = {}
        for trial in self.program.records("trials", self.database):
            own = trial["stage"] == "screen"
            kind = "confirmation" if not own else "controls" if trial["arm"] in ("untouched", "base-rewards-only") else "search"
            # Rungs are one run that goes on; finalists of another length or seed are others.
            key = (kind, trial["arm"]) if own else (kind, trial["arm"], trial["seed"], trial["steps"])
            runs[key] = max(runs.get(key, 0), trial["step"])
        total = {"search": 0, "controls": 0, "confirmation": 0}
        for key, steps in runs.items():
            total[key[0]] += steps
        return total
