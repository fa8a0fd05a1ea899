"""os, sys, time, datetime, signal, io and regex: an empty environment, no files, and a clock that stands still."""

import datetime as real_datetime
import io
import posixpath
import re
import sys
import time as real_time

from .. import seeded, stub_logging
from . import MODULES, Module, add, refuse

NOW = real_datetime.datetime(2025, 1, 1)


class Environment(dict):
    """An empty environment that can be written to."""

    def copy(self):
        return dict(self)


environ = Environment()


def getenv(name, default=None):
    return environ.get(name, default)


def nothing(*_, **__):
    return None


def no(*_, **__):
    return False


def absolute(path):
    return posixpath.normpath(posixpath.join("/", path))


class Sink(io.StringIO):
    """A file that is written to and never read: what is written is dropped."""

    name = "nothing"

    def write(self, text):
        return len(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def fileno(self):
        raise OSError("there are no files")


def opened(file, mode="r", *_, **__):
    """Takes the place of `open`. What is only written to, logs above all, goes nowhere."""
    if isinstance(mode, str) and mode[:1] in ("a", "w", "x") and "+" not in mode and "b" not in mode:
        return Sink()
    raise PermissionError(f"`open` is not there in the sandbox (for {file!r})")


def exit(code=None):
    raise SystemExit(code)


PATHS = "basename commonprefix dirname isabs join normpath split splitext sep pardir curdir".split()
path = {name: getattr(posixpath, name) for name in PATHS}
path |= {"exists": no, "isfile": no, "isdir": no, "islink": no, "abspath": absolute, "realpath": absolute}
path |= {"expanduser": lambda path: path, "expandvars": lambda path: path, "getsize": refuse("os.path.getsize")}
add(
    "os",
    environ=environ,
    getenv=getenv,
    makedirs=nothing,
    mkdir=nothing,
    getcwd=lambda: "/",
    getpid=lambda: 1,
    cpu_count=lambda: 1,
    sep="/",
    linesep="\n",
    name="posix",
    PathLike=__import__("os").PathLike,
    fspath=__import__("os").fspath,
)
add("os.path", **path)


class Sys(Module):
    """sys, whose streams are the real ones."""

    stdout = property(lambda _: sys.stdout, lambda _, stream: setattr(sys, "stdout", stream))
    stderr = property(lambda _: sys.stderr, lambda _, stream: setattr(sys, "stderr", stream))
    __stdout__, __stderr__ = stdout, stderr


KEPT = "byteorder exc_info float_info getrecursionlimit getsizeof hexversion int_info intern maxsize maxunicode version version_info"
MODULES["sys"] = Sys(
    "sys",
    **{name: getattr(sys, name) for name in KEPT.split()},
    argv=["reward"],
    path=[],
    modules={},
    platform="linux",
    executable="",
    stdin=None,
    exit=exit,
    setrecursionlimit=nothing,
    set_int_max_str_digits=nothing,
)


def monotonic():
    return 0.0


def gmtime(_=None):
    return NOW.timetuple()


def strftime(form, when=None):
    return NOW.strftime(form) if when is None else real_datetime.datetime(*when[:6]).strftime(form)


add(
    "time",
    time=lambda: 1735689600.0,
    time_ns=lambda: 1735689600 * 10**9,
    sleep=nothing,
    strftime=strftime,
    gmtime=gmtime,
    localtime=gmtime,
    ctime=lambda _=None: NOW.ctime(),
    asctime=lambda _=None: NOW.ctime(),
    struct_time=real_time.struct_time,
    **dict.fromkeys(("monotonic", "perf_counter", "process_time", "thread_time"), monotonic),
    **dict.fromkeys(("monotonic_ns", "perf_counter_ns", "process_time_ns"), lambda: 0),
)


class datetime(real_datetime.datetime):
    """datetime that does not ask the clock."""

    @classmethod
    def now(cls, tz=None):
        return cls(2025, 1, 1, tzinfo=tz)

    @classmethod
    def utcnow(cls):
        return cls(2025, 1, 1)

    @classmethod
    def today(cls):
        return cls(2025, 1, 1)


class date(real_datetime.date):
    """date that does not ask the clock."""

    @classmethod
    def today(cls):
        return cls(2025, 1, 1)


add(
    "datetime",
    datetime=datetime,
    date=date,
    **{name: getattr(real_datetime, name) for name in ("time", "timedelta", "timezone", "tzinfo", "MINYEAR", "MAXYEAR")},
    UTC=real_datetime.timezone.utc,
)
SIGNALS = {"SIGALRM": 14, "SIGTERM": 15, "SIGINT": 2, "ITIMER_REAL": 0, "SIG_DFL": 0, "SIG_IGN": 1}
add("signal", signal=nothing, alarm=lambda _: 0, setitimer=lambda *_: (0.0, 0.0), getsignal=nothing, **SIGNALS)
add("io", **{name: getattr(io, name) for name in ("StringIO", "BytesIO", "TextIOBase", "IOBase", "UnsupportedOperation", "SEEK_SET", "SEEK_END")})
add("regex", **{name: getattr(re, name) for name in re.__all__}, V0=re.RegexFlag(0), VERSION0=re.RegexFlag(0))
add("timeit", default_timer=monotonic)
add("getpass", getuser=lambda: "nobody")
MODULES["logging"], MODULES["random"] = stub_logging, seeded.random
