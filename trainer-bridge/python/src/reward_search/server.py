"""A scoring process, `reward-search score --stdio`: one line of JSON to it, one line back. One thread at a time may talk to it.

No thread of this process serves it, so that a fork finds nothing half done: whoever waits for an answer also reads what the process says
on its standard error.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import IO, Any

from .errors import ServerDied, ServerNotStarted
from .program import COMPLAINS, complaint

PROTOCOL = 1
_CHUNK = 1 << 16
_KEPT_OF_STDERR = 8192


class Server:
    """A process that is ready to score; `hello` is what it said of itself."""

    hello: dict[str, Any]

    def __init__(self, command: Sequence[str], timeout: float) -> None:
        """Starts it and waits until its rewards are compiled and loaded, at most `timeout` seconds.

        Raises `ServerNotStarted` with what the process said if it ends before.
        """
        self._stderr_tail = self._held_back = b""
        self._unread = b""
        self._owner = os.getpid()
        # In a session of its own: Ctrl-C is for the trainer, which may still want scores while it ends. The end of the trainer is the
        # end of the process's input, and so of the process.
        self._process = subprocess.Popen(
            list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, start_new_session=True
        )
        for pipe in self._pipes():
            os.set_blocking(pipe.fileno(), False)
        try:
            line = self._exchange(b"", timeout)
        except ServerDied as error:
            self.close(0)
            said = self._held_back.decode("utf-8", "replace")
            raise ServerNotStarted(complaint(said) or str(error), error.code) from None
        except BaseException:
            self.close(0)
            raise
        self._pass_on(self._held_back)
        self.hello = json.loads(line)["hello"]
        if self.hello["protocol"] != PROTOCOL:
            self.close(0)
            raise ServerNotStarted(f"the program speaks protocol {self.hello['protocol']}, this package speaks {PROTOCOL}: install both anew")

    def request(self, line: bytes, timeout: float) -> Any:
        """The answer to a request. Raises `ServerDied` if there is none within `timeout` seconds; the process is then of no more use."""
        return json.loads(self._exchange(line + b"\n", timeout))

    def close(self, patience: float = 2.0) -> None:
        """Ends it: its input ends, and if it has not gone after `patience` seconds it is killed."""
        process = self._process
        if os.getpid() != self._owner:
            self.forget()
            return
        if process.stdin and not process.stdin.closed:
            process.stdin.close()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._close_pipes()

    def forget(self) -> None:
        """Lets go of a process that another one owns: this is its copy after a fork."""
        self._close_pipes()
        self._process.returncode = 0

    def _pipes(self) -> list[IO[bytes]]:
        process = self._process
        return [pipe for pipe in (process.stdin, process.stdout, process.stderr) if pipe]

    def _close_pipes(self) -> None:
        for pipe in self._pipes():
            pipe.close()

    def _exchange(self, to_write: bytes, timeout: float) -> bytes:
        """Writes all of `to_write` and returns the next line."""
        process, deadline = self._process, time.monotonic() + timeout
        assert process.stdin and process.stdout and process.stderr
        left = memoryview(to_write)
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            selector.register(process.stderr, selectors.EVENT_READ)
            if left:
                selector.register(process.stdin, selectors.EVENT_WRITE)
            while b"\n" not in self._unread:
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready and time.monotonic() >= deadline:
                    raise ServerDied(f"the scoring process gave no answer within {timeout:g} seconds")
                for key, _ in ready:
                    if key.fileobj is process.stdin:
                        try:
                            left = left[os.write(key.fd, left[:_CHUNK]) :]
                        except BlockingIOError:
                            continue
                        except BrokenPipeError:
                            left = left[:0]
                        if not left:
                            selector.unregister(process.stdin)
                        continue
                    data = os.read(key.fd, _CHUNK)
                    if not data:
                        selector.unregister(key.fileobj)
                    if key.fileobj is process.stderr:
                        self._heard(data)
                    elif data:
                        self._unread += data
                    else:
                        raise self._death()
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _heard(self, data: bytes) -> None:
        """Passes on what the process said on standard error, and keeps the end of it for the message should it die. Why it did not start is
        said in that message alone."""
        self._stderr_tail = (self._stderr_tail + data)[-_KEPT_OF_STDERR:]
        if hasattr(self, "hello"):
            self._pass_on(data)
            return
        self._held_back += data
        lines = self._held_back.splitlines(keepends=True)
        complaints = [place for place, line in enumerate(lines) if line.startswith(COMPLAINS.encode()) or not line.endswith(b"\n")]
        first = complaints[0] if complaints else len(lines)
        self._pass_on(b"".join(lines[:first]))
        self._held_back = b"".join(lines[first:])

    def _pass_on(self, said: bytes) -> None:
        if said and sys.stderr is not None:
            sys.stderr.write(said.decode("utf-8", "replace"))

    def _death(self) -> ServerDied:
        stderr = self._process.stderr
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        try:
            while stderr and (data := os.read(stderr.fileno(), _CHUNK)):
                self._heard(data)
        except BlockingIOError:
            pass
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        said = self._stderr_tail.decode("utf-8", "replace").strip()
        return ServerDied(f"the scoring process has ended ({how})" + (f": {said}" if said else ""), code)
