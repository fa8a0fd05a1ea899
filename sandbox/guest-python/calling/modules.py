"""Which modules a reward may import: those that work without files, clock or entropy, and harmless stand-ins for others."""

import ast
import importlib

from . import scopes, standins

# They are imported when the interpreter is built.
REAL = (
    "__future__ abc array ast base64 binascii bisect builtins calendar cmath codecs collections contextlib copy dataclasses decimal difflib "
    "enum fractions functools heapq inspect itertools json keyword math numbers operator re reprlib "
    "statistics string struct textwrap token tokenize traceback types typing unicodedata warnings weakref zlib"
).split()
# Why others are not there.
NETWORK = "aiohttp anthropic google httpx openai requests socket together urllib urllib3 wandb websockets".split()
FILES = "glob pathlib pickle shutil sqlite3 subprocess tempfile multiprocessing pandas pyarrow csv ctypes e2b_code_interpreter".split()
MODELS = (
    "accelerate bert_score datasets evaluate jax nltk peft sentence_transformers sklearn spacy tensorflow tiktoken transformers unsloth vllm"
).split()

for _name in [*REAL, "collections.abc", "json.decoder", "json.encoder"]:
    importlib.import_module(_name)
# Imported on first use by the modules above, or by the interpreter itself.
for _name in ("_strptime", "encodings.ascii", "encodings.latin_1", "encodings.utf_8"):
    importlib.import_module(_name)


class Missing:
    """Something that is not there, and where it is asked for."""

    def __init__(self, what, line):
        self.what, self.line = what, line

    def __str__(self):
        return f"line {self.line}: {self.what}"


def is_there(name):
    top = name.partition(".")[0]
    return top in REAL or standins.find(name) is not None


def reason(name):
    top = name.lstrip(".").partition(".")[0]
    if name.startswith("."):
        return f"`{name}` is another file: put what you need of it into this one"
    if top in NETWORK:
        return f"`{name}` is not there: the sandbox has no network"
    if top in FILES:
        return f"`{name}` is not there: the sandbox has no files and no processes"
    if top in MODELS:
        return f"`{name}` is not there: the sandbox has no models and no data sets"
    return f"the module `{name}` is not there in the sandbox"


def missing(tree, unknown=()):
    """What a module asks for that is not there: modules, names in them, and names that nobody binds."""
    found, aliases, stars = [], {}, []
    excused = excused_in(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                whole = alias.name if alias.asname else alias.name.partition(".")[0]
                if is_there(alias.name):
                    aliases[scopes.imported(alias)] = standins.find(whole)
                elif id(node) not in excused:
                    found.append(Missing(reason(alias.name), node.lineno))
        elif isinstance(node, ast.ImportFrom):
            name = "." * node.level + (node.module or "")
            if not is_there(name):
                if node.names[0].name == "*":
                    stars.append(name)
                    node.names = [ast.alias("*")]
                elif id(node) not in excused:
                    found.append(Missing(reason(name), node.lineno))
                continue
            module = standins.find(name)
            for alias in node.names:
                if module is not None and alias.name != "*":
                    try:
                        aliases[scopes.imported(alias)] = getattr(module, alias.name)
                    except AttributeError:
                        if id(node) not in excused:
                            found.append(Missing(f"`{name}.{alias.name}` is not there in the sandbox's small `{name}`", node.lineno))
    found += attributes(tree, aliases, excused)
    for name in sorted(unknown):
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
                star = f" (perhaps of `from {stars[0]} import *`, which is not there)" if stars else ""
                if stars or name not in ("__name__", "__doc__"):
                    found.append(Missing(f"`{name}` is not defined in this file{star}", node.lineno))
                break
    for statement in list(tree.body):
        if isinstance(statement, ast.ImportFrom) and "." * statement.level + (statement.module or "") in stars:
            tree.body.remove(statement)
    unique = {(m.what): m for m in reversed(sorted(found, key=lambda m: m.line))}
    return sorted(unique.values(), key=lambda m: m.line)


def attributes(tree, aliases, excused):
    """Attributes of stand-ins that they do not have."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or id(node) in excused:
            continue
        chain, inner = [node.attr], node.value
        while isinstance(inner, ast.Attribute):
            chain.append(inner.attr)
            inner = inner.value
        module = aliases.get(inner.id) if isinstance(inner, ast.Name) else None
        for name in reversed(chain):
            if not isinstance(module, standins.Module):
                break
            try:
                module = getattr(module, name)
            except standins.Absent as absent:
                found.append(Missing(str(absent), node.lineno))
                break
    return found


def excused_in(tree):
    """Imports that may fail: those that a `try` has an alternative to, and those in a branch of a function that nothing may ever reach."""
    excused = set()

    def excuse(nodes):
        for statement in nodes:
            excused.update(id(node) for node in ast.walk(statement))

    def visit(node, in_function, in_branch):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Try) and any(catches(handler, in_function) for handler in child.handlers):
                excuse(child.body)
            branch = in_branch or in_function and isinstance(child, (ast.If, ast.For, ast.While, ast.Match, ast.ExceptHandler))
            if branch and isinstance(child, (ast.Import, ast.ImportFrom)):
                excused.add(id(child))
            function = in_function or isinstance(child, scopes.DEFERRED)
            visit(child, function, branch and not isinstance(child, scopes.DEFERRED))

    visit(tree, False, False)
    return excused


def catches(handler, in_function):
    """Whether it is there for an import that fails. In a function `except Exception` is there for everything, and would hide it."""
    if not in_function:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(getattr(kind, "id", None) in ("ImportError", "ModuleNotFoundError") for kind in kinds)


def guarded_import(name, globals=None, locals=None, fromlist=(), level=0):
    """Takes the place of `__import__`."""
    top = name.partition(".")[0]
    if not level:
        module = standins.find(name)
        if module is not None:
            return module if fromlist else standins.find(top)
        if top in REAL:
            return __import__(name, globals, locals, fromlist, level)
    raise ImportError(reason("." * level + name))


def warnings(tree):
    """What of what it uses is not as it is elsewhere."""
    said = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name.partition(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module.partition(".")[0]]
        else:
            continue
        for name in names:
            if name in standins.NOTES:
                said.append(f"line {node.lineno}: {standins.NOTES[name]}")
    return sorted(set(said), key=said.index)
