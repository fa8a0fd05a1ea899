"""Whether a reward's scores depend on its samples alone: not on chance, and not on what was scored before.

It is found by trying: the same batch with another seed, and once more by the same function. Where that makes a difference, the syntax tree is asked
for the line to blame. A reward that is random or counts without its scores moving, to log now and then, is left alone.
"""

import ast

from . import scopes, seeded
from .refused import Refused

# Modules whose functions draw numbers.
CHANCE = ("random", "secrets", "uuid", "numpy")
# Functions and methods that move what they are given, beside those of `scopes`.
MOVERS = ("next", "popleft", "appendleft", "send", "setdefault")
OTHER_SEED = 1
# Values that can be changed.
CHANGEABLE = (ast.List, ast.Dict, ast.Set, ast.Call, ast.ListComp, ast.DictComp, ast.SetComp)

# What this imports on first use must be there when the interpreter is frozen.
ast.unparse(ast.Constant(0))


def check(make, columns, tree):
    """Raises what is to be changed, if anything. `make` runs the file anew and gives its reward, `columns` makes the batch, or as many of its samples;
    `tree` gives what was taken of the file. A reward that fails on the batch says nothing of the kind."""
    seeded.begin(0)
    reward = make()
    first = scored(reward, columns(None))
    if not isinstance(first, dict):
        return
    seeded.begin(OTHER_SEED)
    apart = difference(first, scored(make(), columns(None)))
    if apart is not None:
        line, name = drawn(tree()) or (None, "chance")
        raise Refused(
            "random",
            f"`{name}` decides the score: with another seed the same completion gets {apart[1]}. A score must depend on the completion alone: leave "
            "chance out, or draw from `random.Random(completion)`",
            line,
            apart[0],
        )
    # In between something else, so that what is counted does not come out even.
    scored(reward, columns(1))
    seeded.begin(0)
    apart = difference(first, scored(reward, columns(None)))
    if apart is not None:
        line, name = changed(tree()) or drawn(tree()) or kept(tree()) or (None, "something")
        raise Refused(
            "state",
            f"`{name}` lasts from one call to the next, and the score depends on it: the same completion, scored later, gets {apart[1]}. Every batch "
            "is scored by a fresh interpreter here, so nothing can be counted or remembered: work from the completion and its columns alone",
            line,
            apart[0],
        )


def scored(reward, columns):
    """The scores, or what went wrong."""
    try:
        return reward.components(columns)
    except BaseException as error:
        return error


def difference(first, second):
    """The first sample that is not scored alike, and how; None where all are."""
    if not isinstance(second, dict):
        return 0, f"`{type(second).__name__}: {second}` in place of a score"
    for name, values in first.items():
        for place, value in enumerate(values):
            others = second.get(name, ())
            other = others[place] if place < len(others) else None
            if other != value and (value == value or other == other):
                return place, f"{other} in place of {value}"
    return None


def drawn(tree):
    """Where a number is drawn: line and name."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {scopes.imported(alias) for alias in node.names if alias.name.partition(".")[0] in CHANCE}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in CHANCE:
            names |= {scopes.imported(alias) for alias in node.names}
    names |= {name for name, value in assigned(tree) if draws(value, names)}
    found = [node for function in functions(tree) for node in ast.walk(function) if draws(node, names)]
    return min(((node.lineno, ast.unparse(node.func)) for node in found), default=None)


def draws(node, names):
    """Whether it calls something of a module that draws numbers. Of numpy that is its `random` alone."""
    if not isinstance(node, ast.Call) or scopes.root(node.func) not in names:
        return False
    text = ast.unparse(node.func)
    return not text.endswith(".seed") and (not text.startswith(("np.", "numpy.")) or ".random" in text)


def assigned(tree):
    """Names that statements of the module give to values."""
    for node in tree.body:
        if isinstance(node, ast.Assign):
            yield from ((target.id, node.value) for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and node.value is not None and isinstance(node.target, ast.Name):
            yield node.target.id, node.value


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, scopes.DEFERRED)]


def own(function):
    """What runs with a function, and not in one that it defines."""
    body = function.body if isinstance(function.body, list) else [function.body]
    return [node for part in body for node in scopes.running(part)]


def changed(tree):
    """Where a function changes what outlives the call: line and name."""
    imported = {scopes.imported(alias) for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom)) for alias in node.names}
    methods = {id(part) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for part in node.body}
    found = []
    for function in functions(tree):
        name = getattr(function, "name", "")
        if name in ("__init__", "__new__", "__post_init__"):
            continue
        lasting = (scopes.of(function).free() | {name}) - imported | with_default(function.args)
        if id(function) in methods and function.args.args:
            lasting.add(function.args.args[0].arg)
        nodes = own(function)
        declared = {name for node in nodes if isinstance(node, (ast.Global, ast.Nonlocal)) for name in node.names}
        found += [(node.lineno, name) for node in nodes for name in moved(node, lasting, declared)]
    return min(found, default=None)


def kept(tree):
    """Where a function first reads an object of the module that can be changed, perhaps by another name: line and name."""
    names = {name for name, value in assigned(tree) if isinstance(value, CHANGEABLE)}
    found = [(node.lineno, node.id) for function in functions(tree) for node in own(function) if isinstance(node, ast.Name) and node.id in names]
    return min(found, default=None)


def with_default(args):
    """Parameters whose default value every call shares."""
    positional = [*args.posonlyargs, *args.args]
    pairs = [*zip(positional[len(positional) - len(args.defaults) :], args.defaults), *zip(args.kwonlyargs, args.kw_defaults)]
    return {argument.arg for argument, default in pairs if isinstance(default, CHANGEABLE)}


def moved(node, lasting, declared):
    """Names of what a piece of code changes, of what lasts."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        return [node.id] if node.id in declared else []
    if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
        return [ast.unparse(node.value if isinstance(node, ast.Subscript) else node)] if scopes.root(node) in lasting else []
    if isinstance(node, ast.Call):
        called = node.func
        if isinstance(called, ast.Attribute) and called.attr.startswith((*scopes.MUTATORS, *MOVERS)) and scopes.root(called) in lasting:
            return [ast.unparse(called.value)]
        if getattr(called, "id", None) in MOVERS and node.args and scopes.root(node.args[0]) in lasting:
            return [ast.unparse(node.args[0])]
    return []
