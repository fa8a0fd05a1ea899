"""Locks that a forked process finds open, whoever held them."""

import contextlib
import os
import threading
import weakref

_all = weakref.WeakSet()


class Lock:
    """A lock that its holder may take once more: `with lock.held(): …`."""

    def __init__(self):
        self._open()
        _all.add(self)

    def _open(self):
        self._lock = threading.RLock()

    @contextlib.contextmanager
    def held(self):
        """Waits for the lock, and lets go of it at the end."""
        # The one that was taken is let go of, also by whoever forks in between.
        with self._lock:
            yield


def _after_fork():
    for lock in list(_all):
        lock._open()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
