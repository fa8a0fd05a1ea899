#!/usr/bin/env python3
"""A search on a real Ray head, on the processor: what no test without Ray can see.

    python3 trainer-bridge/scripts/ray_search.py [--venv DIR] [--work DIR] [search] [kill] [head] [faults] [overhead]

`search` runs a search of two rounds with `kind = "ray"`, two trials at a time. `kill` kills such a search with -9 while jobs run and runs it again: it must
take the jobs over and come to the same leaderboard. `head` kills Ray's head in the middle and starts it again: the search must go on from its checkpoints,
and the jobs of the old head must end by themselves. `faults` has a wrong token and a job that no node can take. `overhead` trains the same rewards with
`kind = "trl"` and prints the seconds of both. All of them if none is named.

Ray takes jobs from whoever reaches it, so all of it happens in a network and process namespace of its own that has nothing but `lo`: this script puts itself
into one (`unshare`, as root or with user namespaces), and whatever it starts ends with it. The interpreter is made below --venv the first time: about 6.5
gigabytes. REWARD_SEARCH_PROGRAM names the program, else `cargo build --release` makes it. Exit code 1 if something is not as it must be.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import trl_search
from trl_search import REQUIREMENTS, ROOT, Script, command_of, descendants, run

RAY = "ray[default]==2.60.0"
ADDRESS = "http://127.0.0.1:8265"
INSIDE = "REWARD_SEARCH_INSIDE_NAMESPACE"
TRAINER = """kind = "ray"
model = "toy"
python = "{python}"
micro_batch = 128
eval_batch = 250
[trainer.cluster]
address = "http://127.0.0.1:8265"
gpus = 0
lease_s = 20
unreachable_s = 120
resources = {{ slot = 1 }}"""
trl_search.TRAINER["ray"] = TRAINER


def interpreter(venv):
    python = venv / "bin/python"
    if subprocess.run([python, "-c", "import trl, ray"], capture_output=True).returncode if python.exists() else True:
        run([sys.executable, "-m", "venv", venv])
        run([python, "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off", "--requirement", REQUIREMENTS, RAY])
    return python


class Head:
    """A Ray head with two processors and two slots."""

    def __init__(self, python, folder, token=None):
        self.ray, self.folder, self.token = python.parent / "ray", folder, token
        self.start()

    def start(self):
        since = time.monotonic()
        environment = {**os.environ, "RAY_DISABLE_MEMORY_MONITOR": "1", "PATH": f"{self.ray.parent}:{os.environ['PATH']}"}
        if self.token:
            environment |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": self.token}
        command = [
            self.ray, "start", "--head", "--block", "--node-ip-address=127.0.0.1", "--dashboard-host=127.0.0.1", "--dashboard-port=8265", "--port=6379",
            "--num-cpus=2", "--num-gpus=0", '--resources={"slot": 2}', "--object-store-memory=80000000", "--disable-usage-stats", f"--temp-dir={self.folder}",
        ]  # fmt: skip
        log = open(f"{self.folder}.log", "ab")
        self.process = subprocess.Popen(list(map(str, command)), env=environment, stdout=log, stderr=log)
        while True:
            try:
                self.get("/api/version")
                break
            except (OSError, urllib.error.URLError):
                if self.process.poll() is not None or time.monotonic() - since > 180:
                    raise SystemExit(f"Ray did not start: see {self.folder}.log") from None
                time.sleep(0.5)
        print(f"    Ray's head answers after {time.monotonic() - since:.0f} s", flush=True)

    def get(self, path):
        request = urllib.request.Request(ADDRESS + path, headers={"Authorization": f"Bearer {self.token}"} if self.token else {})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def jobs(self):
        """The jobs and where they stand."""
        return {job["submission_id"]: job["status"] for job in self.get("/api/jobs/") if job["submission_id"]}

    def lose_its_mind(self):
        """Kills what knows of nodes and jobs; the jobs' own processes live on, and nobody could stop them."""
        for pid in descendants(self.process.pid):
            if "gcs_server" in command_of(pid).split(" ")[0]:
                os.kill(pid, signal.SIGKILL)

    def kill(self, spare=("reward_search.worker", "score --stdio", "sleep 1", "kill -s 0", "kill -9")):
        """Kills the head without a word; what jobs started lives on."""
        for pid in descendants(self.process.pid) - {os.getpid()}:
            if not any(word in command_of(pid) for word in spare):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
        self.process.wait()


class RayScript(Script):
    def __init__(self, arguments):
        self.work = arguments.work.resolve()
        self.work.mkdir(parents=True, exist_ok=True)
        self.program, self.steps, self.python = trl_search.program(), 4, interpreter(arguments.venv.resolve())
        self.head = None

    def begin(self):
        self.head = self.head or Head(self.python, "/tmp/ray-head")
        return self.head

    def workers(self):
        return {pid for pid in os.listdir("/proc") if pid.isdigit() and "-m reward_search.worker" in command_of(pid)}

    def straight(self):
        """The search that nothing happens to."""
        if not (self.work / "straight.db").exists():
            self.begin()
            since = time.monotonic()
            self.output("run", self.config("straight", "ray", 6, 20))
            print(f"    a search of two rounds: {time.monotonic() - since:.0f} s", flush=True)
        return self.leaderboard("straight")

    def search(self):
        """Two rounds, two trials at a time."""
        head, most = self.begin(), 0
        config = self.config("straight", "ray", 6, 20)
        process = subprocess.Popen([self.program, "run", config], cwd=self.work)
        while process.poll() is None:
            most = max(most, sum(status == "RUNNING" for status in head.jobs().values()))
            time.sleep(0.5)
        jobs = head.jobs()
        print(f"    {len(jobs)} jobs, at most {most} at a time: {sorted(set(jobs.values()))}")
        for row in self.straight():
            print("   ", row[0], row[1], row[2] and round(row[2]["point"], 3))
        return process.returncode == 0 and most == 2 and set(jobs.values()) == {"SUCCEEDED"}

    def interrupted(self, name, what):
        """A search that something happens to when it has saved something: whether it comes to the same."""
        straight, head = self.straight(), self.begin()
        before, config = set(head.jobs()), self.config(name, "ray", 6, 20)
        process = subprocess.Popen([self.program, "run", config], cwd=self.work, stdout=subprocess.DEVNULL)
        checkpoints = self.work / f"{name}.db.checkpoints"
        while process.poll() is None and not any(checkpoints.glob("*/checkpoint-2.*")):
            time.sleep(0.1)
        what(process)
        if process.poll() is not None:
            process = subprocess.Popen([self.program, "run", config], cwd=self.work, stdout=subprocess.DEVNULL)
        process.wait()
        same = process.returncode == 0 and self.leaderboard(name) == straight
        print("    the leaderboard is", "the same" if same else "ANOTHER", flush=True)
        return same, {job: status for job, status in head.jobs().items() if job not in before}

    def kill(self):
        """The search killed while its jobs run, and run again at once."""

        def kill(process):
            process.send_signal(signal.SIGKILL)
            process.wait()

        same, jobs = self.interrupted("killed", kill)
        whole = set(jobs.values()) == {"SUCCEEDED"}
        trials = {"-".join(job.split("-")[:3]) for job in jobs}
        print(f"    {len(jobs)} jobs for {len(trials)} trainings: {sorted(set(jobs.values()))}")
        # Each job that ran was taken over: none was begun twice.
        return same and whole and len(jobs) == len(trials)

    def head_(self):
        """The head killed while jobs run, and started again."""
        gone = []

        def restart(process):
            left = self.workers()
            since = time.monotonic()
            self.head.lose_its_mind()
            print(f"    the head is killed; {len(left)} processes of jobs live on", flush=True)
            while left & self.workers() and time.monotonic() - since < 120:
                time.sleep(0.2)
            gone.append(time.monotonic() - since)
            print(f"    the old jobs have ended after {gone[0]:.0f} s", flush=True)
            self.head.kill()
            self.head.start()

        same, _ = self.interrupted("headless", restart)
        # The leases are of 20 s, and a look at them takes up to 5.
        return same and gone[0] < 60

    def faults(self):
        """What the cluster refuses is told as what it is."""
        config = self.config("greedy", "ray", 4, 20)
        config.write_text(config.read_text().replace("slot = 1", "slot = 9").replace("lease_s", "queue_s = 8\nlease_s"))
        self.begin()
        passed = self.says("a job that no node can take", config, "waited 8 seconds for its turn")
        self.head.kill()
        self.head = Head(self.python, "/tmp/ray-locked", token="right" * 8)
        config = self.config("locked", "ray", 4, 20)
        passed &= self.says("no token", config, "wants a token")
        config.write_text(config.read_text().replace("lease_s", 'token_env = "RAY_TOKEN"\nlease_s'))
        os.environ["RAY_TOKEN"] = "wrong" * 8
        passed &= self.says("a wrong token", config, "does not take the token in RAY_TOKEN")
        os.environ["RAY_TOKEN"] = "right" * 8
        result = run([self.program, "train", config, "--reward", "base/exact_format"], cwd=self.work, stdout=subprocess.DEVNULL)
        print("    the right token:", "trained" if result.returncode == 0 else "FAILED")
        self.head.kill()
        self.head = None
        return passed

    def says(self, what, config, expected):
        command = [self.program, "train", config, "--reward", "base/exact_format"]
        said = subprocess.run(command, cwd=self.work, capture_output=True, text=True)
        error = next((line.strip() for line in reversed(said.stderr.splitlines()) if line.startswith("error")), said.stderr[-300:])
        good = said.returncode != 0 and expected in error
        print("    as it must be" if good else "    NOT AS IT MUST BE", "|", what, "|", error, flush=True)
        return good

    def overhead(self):
        """Seconds of the same training by a worker of this machine, and by a job."""
        self.begin()
        for kind in ("trl", "ray", "trl", "ray"):
            config = self.config(f"overhead-{kind}", kind, 8, 20)
            folder = self.work / f"overhead-{kind}-{time.monotonic_ns()}"
            since = time.monotonic()
            self.output("train", config, "--reward", "base/exact_format", "--out", folder)
            steps = [json.loads(line)["step_time"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
            print(f"    {kind}: {time.monotonic() - since:.1f} s, of which {sum(steps):.1f} s in {len(steps)} steps", flush=True)
        return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--venv", type=Path, default=ROOT / "target/ray/venv")
    parser.add_argument("--work", type=Path, default=ROOT / "target/ray/work")
    names = ["search", "kill", "head", "faults", "overhead"]
    parser.add_argument("what", nargs="*", choices=[*names, []])
    arguments = parser.parse_args()
    if not os.environ.get(INSIDE):
        # What needs the network comes before.
        RayScript(arguments)
        os.environ[INSIDE] = "1"
        alone = ["unshare", *([] if os.geteuid() == 0 else ["-r"]), "-n", "-p", "-f", "-m", "--mount-proc"]
        os.execvp("unshare", [*alone, sys.executable, *sys.argv])
    run(["ip", "link", "set", "lo", "up"])
    script, passed = RayScript(arguments), True
    for what in arguments.what or names:
        print(what, flush=True)
        good = getattr(script, {"head": "head_"}.get(what, what))()
        print(what, "is as it must be" if good else "IS NOT AS IT MUST BE", flush=True)
        passed &= bool(good)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
