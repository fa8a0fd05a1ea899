"""The other end of a worker that is nobody's child, a job of a Ray cluster: it is told in a file what to do, and tells events in its log.

Everything that is printed goes into the same log, so each event has a line of its own that begins with `@ev `. Whether it is still wanted the
worker sees from its lease: a value in the cluster's store, or in a file of a folder that all share, which whoever waits for the run changes
every few seconds. Where it stays the same, nobody waits any more.
"""

from __future__ import annotations

import base64
import importlib
import json
import os
import shutil
import signal
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

from .channel import Channel
from .faults import SetupError

PREFIX = "@ev "
#: Bytes of a file in one line.
PART = 384 * 1024
#: The largest file that goes through the log: whoever reads that reads all of it every time.
LARGEST = 64 * 1024 * 1024
#: How long a look at the lease may take, seconds.
LOOK = 5


class Leased(Channel):
    """Tells events in the log, and hears in the lease that the run is to end."""

    def __init__(self, start_file: str) -> None:
        self._start_file = start_file
        self._shares_files = False
        super().__init__()

    def _write(self, line: str) -> None:
        # In one piece, on a line of its own: what libraries have begun to print stands before it.
        text = memoryview(f"\n{PREFIX}{line}\n".encode())
        while text:
            text = text[os.write(self._out.fileno(), text) :]

    def start(self) -> dict[str, Any]:
        """Reads what is to be done, completes it with what only this node knows, and watches the lease from now on."""
        with open(self._start_file, encoding="utf-8") as file:
            start: dict[str, Any] = json.load(file)
        start["job"] = os.path.abspath(start["job"])
        self._shares_files = bool(start["work"])
        if self._shares_files:
            os.makedirs(start["work"], exist_ok=True)
        else:
            start["work"] = tempfile.mkdtemp(prefix="reward-search-run-")
            self._work = start["work"]
        signal.signal(signal.SIGTERM, lambda *_: self._stop.set())
        lease = start["lease"]
        watch = threading.Thread(target=self._watch, args=(lease, reader(lease)), name="lease", daemon=True)
        watch.start()
        return start

    def carry(self, path: str) -> None:
        """Puts a file into the log, where there is no folder that both sides see."""
        if self._shares_files:
            return
        size = os.path.getsize(path)
        if size > LARGEST:
            raise SetupError(
                f"a file of {size / 1e6:.0f} MB is too large for a job's log: name a folder that the nodes and the search share in `shared` of "
                "[trainer.cluster], or train an adapter ([trainer.lora])"
            )
        with open(path, "rb") as file:
            while part := file.read(PART):
                self.tell("part", path=path, data=base64.b64encode(part).decode())

    def _watch(self, lease: dict[str, Any], read: Callable[[], bytes | None]) -> None:
        last, changed = None, time.monotonic()
        while True:
            value = read()
            if value is not None and value != last:
                last, changed = value, time.monotonic()
                if value.startswith(b"stop"):
                    self._stop.set()
            elif time.monotonic() - changed > lease["seconds"]:
                print(f"the search that began this job has not been heard of for {lease['seconds']} s: it ends", file=sys.stderr, flush=True)
                self._orphaned()
            time.sleep(min(2.0, lease["seconds"] / 5))

    def _orphaned(self) -> None:
        if self._work:
            shutil.rmtree(self._work, ignore_errors=True)
        group = os.getpgrp()
        # Ray starts a job in a session of its own: the group is the job's alone.
        if group == os.getsid(0):
            os.killpg(group, signal.SIGKILL)
        os._exit(1)


def reader(lease: dict[str, Any]) -> Callable[[], bytes | None]:
    """Reads the lease: from a file, or from the cluster's store. None where it cannot be read now."""
    path = lease.get("file")
    if path:

        def from_file() -> bytes | None:
            try:
                with open(path, "rb") as file:
                    return file.read() or None
            except OSError:
                return None

        return from_file
    try:
        # As Ray's own services read it; whoever only wants a value need not become a driver.
        store = importlib.import_module("ray._raylet").GcsClient
    except ImportError as error:
        raise SetupError(
            f"{sys.executable} has no Ray, and so cannot see whether its search lives: install Ray there, take the nodes' own Python, or name "
            f"a folder that all share in `shared` of [trainer.cluster] ({error})"
        ) from error
    client = store(address=os.environ["RAY_ADDRESS"])
    key = lease["key"].encode()

    def from_store() -> bytes | None:
        try:
            value: bytes | None = client.internal_kv_get(key, None, LOOK)
            return value
        except Exception as error:
            print(f"the lease cannot be read: {error}", file=sys.stderr, flush=True)
            return None

    return from_store


def complete(start: dict[str, Any]) -> None:
    """Puts in what only the node knows: where the program is, and where the model."""
    if not start["program"]:
        package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        start["program"] = runnable(os.path.join(os.path.dirname(package), "bin", "reward-search"))
    settings = start["settings"]
    commit = settings.pop("commit", None)
    if commit:
        settings["model"] = fetched(settings["model"], commit)
    elif not os.path.exists(settings["model"]):
        raise SetupError(f"there is no model at {settings['model']} on this node ({os.uname().nodename}): `model` is a path on the nodes")
    else:
        settings["model"] = os.path.abspath(settings["model"])
    rollouts = settings.get("rollouts")
    if rollouts:
        os.makedirs(os.path.dirname(rollouts), exist_ok=True)
        shutil.copyfile(start["job"], f"{os.path.splitext(rollouts)[0]}.job.json")


def runnable(program: str) -> str:
    """The program, made one that can be run: packages may lose what says so."""
    if not os.path.exists(program):
        raise SetupError(f"there is no program at {program}")
    mode = os.stat(program).st_mode
    if not os.access(program, os.X_OK):
        os.chmod(program, mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return program


def fetched(model: str, commit: str) -> str:
    """The folder of a hub's model in this node's cache, fetched if need be."""
    from huggingface_hub import snapshot_download

    try:
        folder: str = snapshot_download(model, revision=commit, allow_patterns=["*.json", "*.safetensors", "*.jinja"])
    except Exception as error:
        raise SetupError(
            f"this node ({os.uname().nodename}) cannot fetch {model}: {error}; give the nodes HF_TOKEN by `runtime_env`, or put the model "
            "where all nodes see it and name that folder in `model`"
        ) from error
    return folder
