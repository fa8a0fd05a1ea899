"""One file of reward functions: checked, run, and called."""

import ast
import builtins
import importlib
import math
import sys
import types
from decimal import Decimal
from numbers import Real

import stub_logging

FILE = "reward.py"
MODULE = "reward"
# Modules that work without files, clock or entropy. They are imported when the interpreter is built.
MODULES = (
    "__future__ abc ast bisect builtins cmath collections contextlib copy dataclasses datetime decimal difflib enum fractions "
    "functools heapq itertools json logging math numbers operator random re statistics string textwrap types typing unicodedata"
).split()
# The column of reference answers, by the names that data sets give it.
ANSWERS = ("answer", "solution", "ground_truth", "target", "label")
COLUMNS = ("prompts", "completions", *ANSWERS, "correct", "extracted")
MOST_COMPONENTS = 64
MOST_FRAMES = 12
LONGEST_NAME = 64
LONGEST_MESSAGE = 1000
VAR_KEYWORDS = 0x08

sys.modules["logging"] = stub_logging
for _name in [*MODULES, "collections.abc", "json.decoder", "json.encoder"]:
    importlib.import_module(_name)
# Imported on first use by the modules above, or by the interpreter itself.
for _name in ("_strptime", "encodings.ascii", "encodings.latin_1", "encodings.utf_8", "traceback", "warnings"):
    importlib.import_module(_name)


class Refused(Exception):
    """Something the author has to change."""

    def __init__(self, kind, message, line=None, index=None, found=None):
        super().__init__(message)
        self.kind, self.message, self.line, self.index, self.found = kind, text(message), line, index, found


def checked(source):
    """The code of a file that only asks for what is there."""
    try:
        tree = ast.parse(source, FILE)
        check_imports(tree)
        return compile(tree, FILE, "exec")
    except SyntaxError as error:
        raise Refused("syntax", error.msg, error.lineno) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise Refused("syntax", f"cannot be compiled: {error or type(error).__name__}") from None


def run(code, source):
    """Runs a file in a module of its own. `source` is for tracebacks."""
    module = types.ModuleType(MODULE)
    module.__builtins__ = own_builtins()
    sys.modules[MODULE] = module
    lines[:] = source.splitlines()
    exec(code, module.__dict__)
    return Candidate(module.__dict__)


class Candidate:
    """A file that was run."""

    def __init__(self, namespace):
        self.namespace = namespace

    def function_names(self):
        """Names of the public functions defined here that take completions."""
        return [
            name
            for name, value in self.namespace.items()
            if isinstance(value, types.FunctionType)
            and value.__module__ == MODULE
            and not name.startswith("_")
            and "completions" in parameters(value)
        ]

    def reward(self, name):
        """The function of that name; without a name `reward`, or the only one there is."""
        if name is None:
            names = self.function_names()
            if not names:
                raise Refused("function", "no function with a parameter `completions`: write `def reward(prompts, completions, answer, **kwargs)`")
            if len(names) > 1 and "reward" not in names:
                raise Refused("function", f"several reward functions ({', '.join(names)}): say which, as FILE.py::NAME")
            name = "reward" if "reward" in names else names[0]
        function = self.namespace.get(name)
        if not callable(function):
            there = ", ".join(self.function_names()) or "none at all"
            raise Refused("function", f"no function `{name}`; there is {there}")
        return Reward(name, function)


class Reward:
    """A reward function and what it takes."""

    def __init__(self, name, function):
        self.name, self.function = name, function
        # A callable of another kind (a decorator's, a partial) does not say: it is given everything.
        plain = isinstance(function, types.FunctionType)
        if plain and function.__code__.co_flags & 0x2A0:
            raise Refused("function", f"`{name}` is asynchronous or a generator; it must return a list of numbers")
        self.everything = not plain or bool(function.__code__.co_flags & VAR_KEYWORDS)
        self.names = parameters(function) if plain else ()
        if plain:
            self._check_required()

    def _check_required(self):
        code, defaults = self.function.__code__, self.function.__defaults__ or ()
        positional = code.co_varnames[: code.co_argcount - len(defaults)]
        only = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
        for name in (*positional, *(name for name in only if name not in (self.function.__kwdefaults__ or {}))):
            if name not in COLUMNS:
                raise Refused(
                    "function",
                    f"`{self.name}` needs a parameter `{name}`, which nobody passes; there are {', '.join(COLUMNS)}",
                    code.co_firstlineno,
                )

    def takes(self, column):
        return self.everything or column in self.names

    def components(self, columns):
        """The named columns of scores for a batch."""
        count = len(columns["completions"])
        result = self.function(**{name: column for name, column in columns.items() if self.takes(name)})
        if not isinstance(result, dict):
            return {text(self.name): scores(result, count, "it")}
        if not 0 < len(result) <= MOST_COMPONENTS:
            raise Refused("returned", f"returned {len(result)} components; there must be 1 to {MOST_COMPONENTS}")
        components = {}
        for name, values in result.items():
            short = text(str(name))[:LONGEST_NAME]
            if short in components:
                raise Refused("returned", f"returned two components called {short!r}")
            components[short] = scores(values, count, f"component {name!r}")
        return components


def parameters(function):
    """Names of the parameters that can be passed by name."""
    code = function.__code__
    return code.co_varnames[code.co_posonlyargcount : code.co_argcount + code.co_kwonlyargcount]


def scores(values, count, what):
    """The numbers in `values` as floats, one a completion."""
    if not isinstance(values, (list, tuple)):
        raise Refused("returned", f"{what} returned {type(values).__name__}; it must be a list of {count} numbers")
    if len(values) != count:
        raise Refused("length", f"{what} returned {len(values)} scores for {count} completions", found=min(len(values), 2**32 - 1))
    return [score(value, index) for index, value in enumerate(values)]


def score(value, index):
    if type(value) is float:
        return value
    if value is None:
        raise Refused("returned", "returned None; a reward here cannot abstain, return 0.0", index=index)
    if not isinstance(value, (Real, Decimal)):
        raise Refused("returned", f"returned {type(value).__name__}; a score must be a number", index=index)
    try:
        return float.__add__(float(value), 0.0)
    except OverflowError:
        return math.inf


def check_imports(tree):
    """Refuses modules that are not there, but for those that a `try` has an alternative to, or that nobody asks for here."""
    guarded = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.Try) and block.handlers or isinstance(block, ast.If) and never_runs(block.test)
        for statement in block.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if id(node) in guarded:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = ["." * node.level + (node.module or "")]
        else:
            continue
        for name in names:
            if name.partition(".")[0] not in MODULES:
                raise Refused("import", missing(name), node.lineno)


def never_runs(test):
    """Whether it is `__name__ == "__main__"` or `TYPE_CHECKING`."""
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq) and len(test.ops) == 1:
        sides = (test.left, test.comparators[0])
        return any(getattr(s, "id", None) == "__name__" for s in sides) and any(getattr(s, "value", None) == "__main__" for s in sides)
    return getattr(test, "id", getattr(test, "attr", None)) == "TYPE_CHECKING"


def missing(name):
    return f"the module `{name}` is not there in the sandbox; there are {', '.join(MODULES)}"


def own_builtins():
    """The built-in functions as a candidate sees them."""
    own = dict(vars(builtins))
    real_import = own["__import__"]

    def guarded_import(name, globals=None, locals=None, fromlist=(), level=0):
        if level or name.partition(".")[0] not in MODULES:
            raise ImportError(missing(name))
        return real_import(name, globals, locals, fromlist, level)

    def absent(name):
        def stand_in(*_, **__):
            raise PermissionError(f"`{name}` is not there in the sandbox")

        return stand_in

    own["__import__"] = guarded_import
    for name in ("open", "input", "breakpoint", "help", "exit", "quit"):
        own[name] = absent(name)
    return own


lines = []


def exception(error):
    """An exception of the candidate, with the part of its traceback that lies in the candidate's file."""
    kind = text(type.__dict__["__name__"].__get__(type(error)))
    try:
        message = text(str(error))
    except BaseException:
        message = "(its message cannot be read)"
    frames = []
    trace = BaseException.__traceback__.__get__(error)
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename == FILE:
            line = trace.tb_lineno
            source = lines[line - 1].strip()[:200] if 0 < line <= len(lines) else ""
            frames.append(f'  File "{FILE}", line {line}, in {code.co_name}\n    {source}\n')
        trace = trace.tb_next
    if len(frames) > MOST_FRAMES:
        half = MOST_FRAMES // 2
        frames[half:-half] = [f"  ... {len(frames) - MOST_FRAMES} more ...\n"]
    head = "Traceback (most recent call last):\n" if frames else ""
    return Refused("exception", f"{head}{''.join(frames)}{kind}: {message}", index=None)


def text(value):
    """A text that is short and has no lone surrogates."""
    value = str.__str__(value)
    if len(value) > 4 * LONGEST_MESSAGE:
        value = value[:LONGEST_MESSAGE] + " [cut]"
    return value.encode("utf-8", "replace").decode("utf-8")
