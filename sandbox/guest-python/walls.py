"""Names for what is not there: files, processes, threads, a clock, entropy. Whoever finds a way to them past the modules that a reward may import gets an
exception with the name of what was called, and so with its line, and not the end of the interpreter.

Nothing here keeps anybody from anything: the walls that count are WebAssembly's.
"""

import os
import time
import types

# What `os` has that asks nobody outside, or that the interpreter is made with.
PURE = ("fspath", "strerror", "register_at_fork", "putenv", "unsetenv")
# What asks the clock. Others of `time` reckon with what they are given.
CLOCKS = "time time_ns sleep monotonic monotonic_ns perf_counter perf_counter_ns process_time process_time_ns thread_time thread_time_ns ctime asctime"
EVENTS = ("os.", "socket.", "subprocess.", "shutil.", "ctypes.", "_thread.")


def absent(event, _):
    """What the interpreter announces before it does it."""
    if event == "open" or event.startswith(EVENTS):
        raise PermissionError(f"`{event}` is not there in the sandbox")


def build(*of_chance):
    """Puts a function that says so into the place of each that is not there. Python's own machinery does not go through these modules. `of_chance`
    are those that have taken the source of entropy along."""
    for name, function in list(vars(os).items()):
        if isinstance(function, types.BuiltinFunctionType) and name not in PURE:
            setattr(os, name, named(f"os.{name}"))
    for name in CLOCKS.split():
        if hasattr(time, name):
            setattr(time, name, named(f"time.{name}"))
    for module in of_chance:
        module._urandom = os.urandom


def named(name):
    def function(*_, **__):
        raise PermissionError(f"`{name}` is not there in the sandbox")

    return function
