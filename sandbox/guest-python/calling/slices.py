"""Takes out of a file what a reward reaches: its functions, constants, classes and imports. The rest is not run.

People keep rewards in scripts and notebooks, between the data set and the trainer. Lines keep their numbers.
"""

import ast
import builtins

from . import scopes

BUILTINS = frozenset(dir(builtins)) | {"__file__", "__builtins__"}
# Objects of other modules that a statement may set up for a reward.
SET_UP = ("random", "np", "numpy", "os")
# A built-in function that finds names by their text.
BY_TEXT = ("globals", "locals", "vars", "eval", "exec")


class Statement:
    """A statement of the module."""

    def __init__(self, node, functions):
        self.node = node
        scope = scopes.of(node)
        self.binds, self.reads = scope.bound, scope.free()
        self.changes = scopes.changed(node, functions) - self.binds
        self.is_import = isinstance(node, (ast.Import, ast.ImportFrom))
        self.modules = {scopes.imported(alias) for alias in node.names} if self.is_import else set()


class Slice:
    """What a reward reaches."""

    def __init__(self, tree, names):
        self.statements = statements(tree, names)
        defined = {s.node.name for s in self.statements if isinstance(s.node, scopes.FUNCTIONS)}
        modules = set().union(*(s.modules for s in self.statements))
        self.reached = set(names)
        kept = set()
        grown = True
        while grown:
            grown = False
            for place, statement in enumerate(self.statements):
                if place in kept:
                    continue
                changes = {name for name in statement.changes if name not in modules or name in SET_UP}
                if (statement.binds | changes) & self.reached or is_star(statement.node) or is_future(statement.node):
                    kept.add(place)
                    if not statement.is_import:
                        self.reached |= statement.reads | (statement.binds & defined)
                    grown = True
            if self.reached & set(BY_TEXT) and self.asks_by_text(kept) and not defined <= self.reached:
                self.reached |= defined
                grown = True
        self.kept = [self.trimmed(s.node) for place, s in enumerate(self.statements) if place in kept]
        self.left_out = [s.node for place, s in enumerate(self.statements) if place not in kept]

    def asks_by_text(self, kept):
        """Whether what was taken looks names up in the module by their text."""
        for place in kept:
            for node in ast.walk(self.statements[place].node):
                if isinstance(node, ast.Call) and getattr(node.func, "id", None) in BY_TEXT:
                    if node.func.id in ("globals", "locals", "vars") or len(node.args) + len(node.keywords) == 1:
                        return True
        return False

    def trimmed(self, node):
        """An import without the names that nobody uses."""
        if not isinstance(node, (ast.Import, ast.ImportFrom)) or is_star(node) or is_future(node):
            return node
        node.names = [alias for alias in node.names if scopes.imported(alias) in self.reached]
        return node

    def tree(self):
        return ast.Module(self.kept, [])

    def unknown(self):
        """Names that nothing in the file binds."""
        bound = set().union(*(s.binds for s in self.statements))
        return self.reached - bound - BUILTINS


def statements(tree, names):
    """The statements of the module, those under `if __name__ == "__main__"` included where a wanted name is bound there or in a function."""
    nodes = list(unfolded(tree.body))
    bound = set().union(*(scopes.of(node).bound for node in nodes)) if nodes else set()
    for name in names:
        if name not in bound:
            nodes += around(nodes, name)
    functions = {node.name: node for node in nodes if isinstance(node, scopes.FUNCTIONS)}
    return [Statement(node, functions) for node in nodes]


def unfolded(nodes):
    for node in nodes:
        if isinstance(node, ast.If) and never_runs(node.test):
            if is_main(node.test):
                yield from unfolded(node.body)
            yield from unfolded(node.orelse)
        else:
            yield node


def around(nodes, name):
    """The statements of the function in which a function of that name is defined."""
    for node in nodes:
        if isinstance(node, scopes.FUNCTIONS):
            if any(isinstance(part, scopes.FUNCTIONS) and part.name == name for part in node.body):
                return node.body
    return []


def is_star(node):
    return isinstance(node, ast.ImportFrom) and node.names and node.names[0].name == "*"


def is_future(node):
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def is_main(test):
    """Whether it is `__name__ == "__main__"`."""
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq) and len(test.ops) == 1:
        sides = (test.left, test.comparators[0])
        return any(getattr(s, "id", None) == "__name__" for s in sides) and any(getattr(s, "value", None) == "__main__" for s in sides)
    return False


def never_runs(test):
    """Whether it is that, or `TYPE_CHECKING`."""
    return is_main(test) or getattr(test, "id", getattr(test, "attr", None)) == "TYPE_CHECKING"
