"""One file of reward functions: what its reward reaches is taken out, checked, run, and called."""

import __future__

import ast
import builtins
import math
import sys
import types
from decimal import Decimal
from numbers import Real

from . import found, modules, shapes, slices, standins
from .refused import Refused, text
from .standins.system import opened

FILE = "reward.py"
MODULE = "reward"
MOST_COMPONENTS = 64
MOST_FRAMES = 12
LONGEST_NAME = 64
MOST_DEPTH = 200
# What annotations say is not evaluated, so that what only they name was not taken along; Python does so of itself since 3.14.
FLAGS = 0 if sys.version_info >= (3, 14) else __future__.annotations.compiler_flag


class Checked:
    """A file that only asks for what is there."""

    def __init__(self, source, wanted=None):
        tree = parsed(source)
        self.source, self.rewards = source, looked_through(tree).rewards()
        self.name = wanted or self.chosen(tree)
        expression = parsed_expression(self.name)
        roots = {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}
        sliced = slices.Slice(tree, roots - set(dir(builtins)))
        self.tree = sliced.tree()
        names = [one.name for one in self.rewards]
        bound = set().union(*(s.binds for s in sliced.statements)) if sliced.statements else set()
        lost = sorted(name for name in roots if name not in bound and name not in slices.BUILTINS)
        if lost:
            stars = [node for node in tree.body if slices.is_star(node)]
            if not stars:
                raise Refused("function", f"no function `{lost[0]}`; there is {', '.join(names) or 'none at all'}")
        missing = modules.missing(self.tree, sliced.unknown())
        if missing:
            raise Refused("import", said(missing, self.working(source, names)), missing[0].line)
        self.notes = modules.warnings(self.tree)
        self.left_out = [shown(node, source.splitlines()) for node in sliced.left_out if not is_docstring(node)]
        self.content = asks_for_content(self.tree)
        try:
            self.code = compile(ast.fix_missing_locations(self.tree), FILE, "exec", flags=FLAGS, dont_inherit=True)
        except SyntaxError as error:
            raise Refused("syntax", error.msg, error.lineno) from None

    def chosen(self, tree):
        """The function called `reward`, or the only one there is."""
        names = [one.name for one in self.rewards]
        if "reward" in names or "reward" in {n for node in tree.body for n in slices.scopes.of(node).bound}:
            return "reward"
        if not names:
            missing = modules.missing(tree)
            if missing:
                raise Refused("import", said(missing, []), missing[0].line)
            rewards(self.source)
            raise Refused("function", "no function with a parameter `completions`: write `def reward(prompts, completions, answer, **kwargs)`")
        if len(names) > 1:
            raise Refused("function", f"several reward functions ({', '.join(names)}): say which, as FILE.py::NAME")
        return names[0]

    def working(self, source, names):
        """The rewards of the file that need nothing that is missing."""
        good = []
        for name in names:
            if name == self.name:
                continue
            tree = parsed(source)
            sliced = slices.Slice(tree, {node.id for node in ast.walk(parsed_expression(name)) if isinstance(node, ast.Name)})
            if not modules.missing(sliced.tree(), sliced.unknown()):
                good.append(name)
        return good


def looked_through(tree):
    return found.Finder(list(slices.unfolded(tree.body)))


def rewards(source):
    """The names of the rewards in a file; for none, why there is none where that can be said."""
    finder = looked_through(parsed(source))
    names = [one.name for one in finder.rewards()]
    if not names and finder.factories:
        raise Refused("function", f"the file only makes rewards: give the arguments, as FILE.py::{finder.factories[0]}")
    return names


def said(missing, working):
    """What is missing, the first without its line, which is told apart."""
    what = "; ".join([missing[0].what, *map(str, missing[1:])])
    if working:
        what += f". Without {'it' if len(missing) == 1 else 'them'} work {', '.join(working)} (FILE.py::NAME)"
    elif len(missing) == 1 and missing[0].what.startswith("the module"):
        what += f"; there are {', '.join(sorted({*modules.REAL, *(name for name in standins.MODULES if '.' not in name)}))}"
    return what


def parsed(source):
    try:
        tree = ast.parse(source, FILE)
        check_depth(tree)
        return tree
    except SyntaxError as error:
        raise Refused("syntax", error.msg, error.lineno) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise Refused("syntax", f"cannot be compiled: {error or type(error).__name__}") from None


def check_depth(tree):
    """Code deeper than anybody writes is more than our own recursion takes."""
    level, depth = [tree], 0
    while level:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        depth += 1
        if depth > MOST_DEPTH:
            raise Refused("syntax", f"is nested more than {MOST_DEPTH} deep")


def parsed_expression(name):
    try:
        return ast.parse(name, "<name>", "eval")
    except (SyntaxError, ValueError):
        raise Refused("function", f"`{name}` is no name of a function, nor a call such as `make_reward(weight=2)`") from None


def is_docstring(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def shown(node, lines):
    first = lines[node.lineno - 1].strip() if node.lineno <= len(lines) else ""
    return text(f"line {node.lineno}: {first[:80]}")


def asks_for_content(tree):
    """Whether it looks into messages."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and getattr(node.slice, "value", None) == "content":
            return True
        if isinstance(node, ast.Call) and getattr(node.func, "attr", None) == "get" and node.args:
            if getattr(node.args[0], "value", None) == "content":
                return True
    return False


def run(code, source, name=MODULE):
    """Runs what was taken of a file in a module of its own, of that name. `source` is for tracebacks."""
    module = types.ModuleType(name)
    module.__builtins__ = own_builtins()
    module.__file__ = FILE
    sys.modules[name] = module
    lines[:] = source.splitlines()
    exec(code, module.__dict__)
    return module.__dict__


class Reward:
    """A reward function."""

    def __init__(self, name, namespace, shape=None):
        thing = namespace.get(name)
        if thing is None:
            thing = eval(compile(parsed_expression(name), "<name>", "eval"), namespace)
        self.name = name.partition("(")[0]
        if isinstance(thing, type) and callable(getattr(thing, "__call__", None)) and "__call__" in {n for c in thing.__mro__ for n in vars(c)}:
            thing = thing()
        if not callable(thing):
            raise Refused("function", f"`{name}` cannot be called: it is {type(thing).__name__}")
        if isinstance(thing, types.FunctionType) and thing.__code__.co_flags & 0x220:
            raise Refused("function", f"`{self.name}` is a generator; it must return a list of numbers", thing.__code__.co_firstlineno)
        self.shape = shapes.Shape(self.name, thing, shape)

    def takes(self, column):
        return self.shape.takes(column)

    def components(self, columns):
        """The named columns of scores for a batch."""
        count = len(columns["completions"])
        standins.asked.clear()
        result = self.shape.call(columns)
        if standins.asked:
            raise Refused("absent", f"asked for `{standins.asked[0]}`, which is not there in the sandbox")
        if not isinstance(result, dict):
            return {text(self.name): scores(result, count, "it")}
        if not 0 < len(result) <= MOST_COMPONENTS:
            raise Refused("returned", f"returned {len(result)} components; there must be 1 to {MOST_COMPONENTS}")
        components = {}
        for name, values in result.items():
            short = text(str(name))[:LONGEST_NAME]
            if short in components:
                raise Refused("returned", f"returned two components called {short!r}")
            components[short] = scores(shapes.listed(values), count, f"component {name!r}")
        return components


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
        # As TRL adds rewards up: who abstains adds nothing.
        return 0.0
    value = shapes.listed(value)
    if not isinstance(value, (Real, Decimal)):
        raise Refused("returned", f"returned {type(value).__name__}; a score must be a number", index=index)
    try:
        return float.__add__(float(value), 0.0)
    except OverflowError:
        return math.inf


def own_builtins():
    """The built-in functions as a candidate sees them."""
    own = dict(vars(builtins))

    def absent(name):
        def stand_in(*_, **__):
            raise PermissionError(f"`{name}` is not there in the sandbox")

        return stand_in

    own["__import__"] = modules.guarded_import
    own["open"] = opened
    for name in ("input", "breakpoint", "help", "exit", "quit"):
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
