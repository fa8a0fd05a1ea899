"""A worker that is nobody's child: it reads in a file what to do, tells in its log, and lives as long as its lease changes."""

import base64
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from reward_search.worker import leased
from reward_search.worker.faults import SetupError

from test_worker import PACKAGE, is_gone

# What a worker does before it imports anything, and then something that lasts.
LASTING = """
import subprocess, sys, time
from reward_search.worker.leased import Leased
channel = Leased(sys.argv[1])
start = channel.start()
sys.stdout.write("half a line of a library")
sys.stdout.flush()
child = subprocess.Popen(["sleep", "300"])
channel.tell("phase", what=child.pid, work=start["work"])
open(start["work"] + "/c.tar", "wb").write(b"state" * 100_000)
channel.carry(start["work"] + "/c.tar")
while not channel.stopped:
    time.sleep(0.01)
channel.tell("stopped")
child.kill()
"""


def events(log):
    # The last line may be under way.
    whole = log.read_text().rpartition("\n")[0]
    lines = [line for line in whole.split("\n") if line.startswith(leased.PREFIX)]
    return [json.loads(line.removeprefix(leased.PREFIX)) for line in lines]


@pytest.fixture
def job(tmp_path):
    """A job as Ray starts it, in a session of its own that a shell leads, with a log for all that is printed."""
    begun = []

    def begin(seconds, work=""):
        lease, log = tmp_path / "lease", tmp_path / "log"
        lease.write_text("0")
        start = {"job": "job.json", "work": work, "lease": {"key": "k", "file": str(lease), "seconds": seconds}}
        (tmp_path / "start.json").write_text(json.dumps(start))
        (tmp_path / "worker.py").write_text(LASTING)
        with open(log, "wb") as out:
            process = subprocess.Popen(
                f"{sys.executable} worker.py start.json; exit $?", shell=True, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True, env={**os.environ, "PYTHONPATH": str(PACKAGE / "src")},
            )  # fmt: skip
        begun.append(process)
        for _ in range(500):
            if any(event["t"] == "phase" for event in events(log)):
                break
            time.sleep(0.01)
        return process, lease, log

    yield begin
    for process in begun:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def test_a_job_whose_search_is_gone_ends_with_all_that_it_started(job):
    process, _, log = job(seconds=1)
    phase = events(log)[0]
    since = time.monotonic()
    assert process.wait(20) == -signal.SIGKILL
    assert time.monotonic() - since < 10
    assert is_gone(phase["what"]) and not os.path.exists(phase["work"])
    assert "has not been heard of for 1 s" in log.read_text()


def test_a_job_lives_as_long_as_its_lease_changes_and_stops_when_that_says_so(job):
    process, lease, log = job(seconds=2)
    for number in range(8):
        lease.write_text(f"renewed {number}")
        time.sleep(0.5)
        assert process.poll() is None, log.read_text()
    lease.write_text("stop 9")
    assert process.wait(10) == 0
    assert events(log)[-1] == {"t": "stopped"}


def test_files_go_through_the_log_unless_there_is_a_folder_for_them(job, tmp_path):
    process, lease, log = job(seconds=5)
    lease.write_text("stop")
    process.wait(10)
    parts = [event for event in events(log) if event["t"] == "part"]
    assert b"".join(base64.b64decode(part["data"]) for part in parts) == b"state" * 100_000
    assert len(parts) == 2 and parts[0]["path"].endswith("/c.tar")
    process, lease, log = job(seconds=5, work=str(tmp_path / "shared/x"))
    lease.write_text("stop 2")
    process.wait(10)
    assert [event["t"] for event in events(log)] == ["phase", "stopped"]
    assert (tmp_path / "shared/x/c.tar").exists(), "the other side reads it there"


def test_a_file_too_large_for_a_log_names_what_takes_it(tmp_path, monkeypatch):
    monkeypatch.setattr(leased, "LARGEST", 4)
    (tmp_path / "c.tar").write_bytes(b"state")
    # One that has not taken standard output over.
    channel = object.__new__(leased.Leased)
    channel._shares_files = False
    with pytest.raises(SetupError, match="too large for a job's log: name a folder .* in `shared`"):
        channel.carry(str(tmp_path / "c.tar"))
    channel._shares_files = True
    channel.carry(str(tmp_path / "c.tar"))


def test_what_only_the_node_knows_is_put_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    start = {"program": "/opt/reward-search", "job": "job.json", "settings": {"model": "model", "rollouts": str(tmp_path / "r/x.jsonl")}}
    (tmp_path / "job.json").write_text("{}")
    leased.complete(start)
    assert start["settings"]["model"] == str(tmp_path / "model")
    assert (tmp_path / "r/x.job.json").read_text() == "{}"
    with pytest.raises(SetupError, match="no model at /nowhere on this node"):
        leased.complete({"program": "/opt/reward-search", "settings": {"model": "/nowhere"}})
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o644)
    assert os.access(leased.runnable(str(program)), os.X_OK)
    with pytest.raises(SetupError, match="no program"):
        leased.complete({"program": "", "settings": {"model": "model"}})


def test_without_ray_a_job_needs_a_folder_that_all_share(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SetupError, match="`shared` of"):
        leased.reader({"key": "gcs://x", "seconds": 5})
