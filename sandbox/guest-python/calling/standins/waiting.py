"""asyncio, threading and concurrent.futures where nothing ever waits: what is started runs to its end at once, in order."""

import collections
import contextlib
import inspect

from . import add


def run(main, **_):
    """Runs a coroutine, or whatever can be awaited, to its end."""
    if isinstance(main, Future):
        return main.result()
    if not inspect.iscoroutine(main):
        if not hasattr(main, "__await__"):
            raise TypeError("An asyncio.Future, a coroutine or an awaitable is required")
        main = main.__await__()
    global running
    before, running = running, True
    try:
        main.send(None)
    except StopIteration as end:
        return end.value
    finally:
        running = before
    main.close()
    raise RuntimeError("a coroutine waits for something that never comes in the sandbox")


running = False


class Future:
    """What has a result, or an exception, already."""

    def __init__(self, **_):
        self._result, self._error, self._done = None, None, False

    @classmethod
    def of(cls, work):
        future = cls()
        try:
            future.set_result(work())
        except Exception as error:
            future.set_exception(error)
        return future

    def set_result(self, result):
        self._result, self._done = result, True

    def set_exception(self, error):
        self._error, self._done = error, True

    def result(self, timeout=None):
        if not self._done:
            raise RuntimeError("waits for a result that never comes in the sandbox")
        if self._error is not None:
            raise self._error
        return self._result

    def exception(self, timeout=None):
        return self._error

    def done(self):
        return self._done

    def cancelled(self):
        return False

    def cancel(self, *_):
        return False

    def add_done_callback(self, function, **_):
        function(self)

    def __await__(self):
        return self.result()
        yield


def create_task(coroutine, **_):
    return coroutine if isinstance(coroutine, Future) else Future.of(lambda: run(coroutine))


async def gather(*things, return_exceptions=False):
    tasks = [create_task(thing) for thing in things]
    if return_exceptions:
        return [task.exception() or task.result() for task in tasks]
    return [task.result() for task in tasks]


async def sleep(_, result=None):
    return result


async def wait_for(thing, timeout):
    return create_task(thing).result()


async def to_thread(function, *values, **named):
    return function(*values, **named)


async def wait(things, **_):
    return {create_task(thing) for thing in things}, set()


def as_completed(things, **_):
    return [create_task(thing) for thing in things]


class Loop:
    """An event loop that is done with everything."""

    def run_until_complete(self, main):
        return run(main)

    def create_task(self, coroutine, **_):
        return create_task(coroutine)

    def create_future(self):
        return Future()

    def run_in_executor(self, _, function, *values):
        return Future.of(lambda: function(*values))

    def is_running(self):
        return running

    def is_closed(self):
        return False

    def close(self):
        pass

    def time(self):
        return 0.0

    stop = shutdown_default_executor = shutdown_asyncgens = close


loop = Loop()


def get_running_loop():
    if not running:
        raise RuntimeError("no running event loop")
    return loop


class Lock:
    """A lock that is always free, for threads."""

    def __init__(self, *_, **__):
        self.held = 0

    def acquire(self, *_, **__):
        self.held += 1
        return True

    def release(self, *_):
        self.held -= 1

    def locked(self):
        return self.held > 0

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *_):
        self.release()


class AsyncLock(Lock):
    """The same, for coroutines."""

    async def acquire(self):
        self.held += 1
        return True

    async def __aenter__(self):
        self.held += 1

    async def __aexit__(self, *_):
        self.held -= 1


class Event:
    """A flag."""

    def __init__(self):
        self._set = False

    def set(self):
        self._set = True

    def clear(self):
        self._set = False

    def is_set(self):
        return self._set

    def wait(self, timeout=None):
        if not self._set and timeout is None:
            raise RuntimeError("waits for an event that never comes in the sandbox")
        return self._set


class Thread:
    """Runs at once when it is started."""

    def __init__(self, group=None, target=None, name="Thread-1", args=(), kwargs=None, daemon=None):
        self.target, self.name, self.args, self.kwargs, self.daemon = target, name, args, kwargs or {}, daemon
        self.ident = 1

    def run(self):
        if self.target is not None:
            self.target(*self.args, **self.kwargs)

    def start(self):
        with contextlib.suppress(Exception):
            self.run()

    def join(self, timeout=None):
        pass

    def is_alive(self):
        return False


class Local:
    """Values of the one thread there is."""


class Executor:
    """Runs what is submitted at once."""

    def __init__(self, max_workers=None, *_, **__):
        pass

    def submit(self, function, /, *values, **named):
        return Future.of(lambda: function(*values, **named))

    def map(self, function, *columns, **_):
        return list(map(function, *columns))

    def shutdown(self, *_, **__):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class TimeoutError(TimeoutError):
    """Never raised here."""


main_thread = Thread(name="MainThread")
add(
    "asyncio",
    run=run,
    gather=gather,
    sleep=sleep,
    wait=wait,
    wait_for=wait_for,
    to_thread=to_thread,
    as_completed=as_completed,
    create_task=create_task,
    ensure_future=create_task,
    get_event_loop=lambda: loop,
    new_event_loop=lambda: loop,
    set_event_loop=lambda _: None,
    get_running_loop=get_running_loop,
    iscoroutine=inspect.iscoroutine,
    iscoroutinefunction=inspect.iscoroutinefunction,
    Future=Future,
    Task=Future,
    Lock=AsyncLock,
    Semaphore=AsyncLock,
    BoundedSemaphore=AsyncLock,
    Event=Event,
    TimeoutError=TimeoutError,
    CancelledError=type("CancelledError", (BaseException,), {}),
    AbstractEventLoop=Loop,
)
add(
    "threading",
    Lock=Lock,
    RLock=Lock,
    Semaphore=Lock,
    BoundedSemaphore=Lock,
    Condition=Lock,
    Event=Event,
    Thread=Thread,
    local=Local,
    current_thread=lambda: main_thread,
    main_thread=lambda: main_thread,
    get_ident=lambda: 1,
    active_count=lambda: 1,
)
add("concurrent")
add(
    "concurrent.futures",
    ThreadPoolExecutor=Executor,
    ProcessPoolExecutor=Executor,
    Executor=Executor,
    Future=Future,
    as_completed=lambda futures, **_: list(futures),
    wait=lambda futures, **_: collections.namedtuple("Done", "done not_done")(set(futures), set()),
    TimeoutError=TimeoutError,
)
add("nest_asyncio", apply=lambda *_: None)
add("queue", Empty=type("Empty", (Exception,), {}), Full=type("Full", (Exception,), {}))
add("tqdm", tqdm=lambda items=(), *_, **__: items, trange=lambda n, *_, **__: range(n))
