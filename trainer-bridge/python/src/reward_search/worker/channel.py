"""The lines between the worker and whoever started it as a child; `leased` has those of a worker that is nobody's.

The worker's standard output is the channel's alone: what libraries print there goes to standard error instead. Nothing that the worker
starts inherits either end.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import sys
import threading
from typing import Any

#: Raised when a line changes its meaning.
PROTOCOL = 1


class Channel:
    """Tells events and hears what the other side wants. `stopped` says whether it wants the run to end."""

    def __init__(self) -> None:
        """Takes standard input and output over. Everything that is printed from now on goes to standard error."""
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
        self._in = os.fdopen(os.dup(0), "r", encoding="utf-8")
        os.dup2(2, 1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        sys.stdout = sys.stderr
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._work: str | None = None

    @property
    def stopped(self) -> bool:
        """Whether the run is to end."""
        return self._stop.is_set()

    def tell(self, event: str, **fields: Any) -> None:
        """Tells an event. What is no finite number is told as null."""
        line = json.dumps({"t": event, **_finite(fields)}, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        line = line.encode("utf-8", "replace").decode()
        with self._lock:
            try:
                self._write(line)
            except BrokenPipeError:
                self._orphaned()

    def _write(self, line: str) -> None:
        self._out.write(line + "\n")
        self._out.flush()

    def carry(self, path: str) -> None:
        """Sees to it that the other side can read a file that the next event tells of: it is on the same machine."""

    def start(self) -> dict[str, Any]:
        """Waits for what is to be done; from then on this also hears when the run is to stop, and when the other side is gone."""
        line = self._in.readline()
        if not line:
            raise SystemExit(0)
        start: dict[str, Any] = json.loads(line)
        self._work = start["work"]
        threading.Thread(target=self._listen, name="listen", daemon=True).start()
        signal.signal(signal.SIGTERM, lambda *_: self._stop.set())
        return start

    def _listen(self) -> None:
        for line in self._in:
            if json.loads(line).get("t") == "stop":
                self._stop.set()
        self._orphaned()

    def _orphaned(self) -> None:
        """Whoever started this process is gone: nobody will ever read what it makes, so it ends now, with all that it started."""
        if self._work:
            shutil.rmtree(self._work, ignore_errors=True)
        if os.getpgrp() == os.getpid():
            os.killpg(os.getpid(), signal.SIGKILL)
        os._exit(1)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return value
