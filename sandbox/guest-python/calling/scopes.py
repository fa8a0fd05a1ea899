"""Which names a piece of code takes from the module around it, and which objects it changes there."""

import ast

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
DEFERRED = (*FUNCTIONS, ast.Lambda)
# What methods that change their object are called, or begin with.
MUTATORS = ("add", "append", "clear", "discard", "extend", "insert", "pop", "register", "remove", "reverse", "seed", "set", "sort", "update")


class Scope:
    """The names that one scope reads and binds. What annotations say is never evaluated unasked, and does not count."""

    def __init__(self, is_class=False):
        self.is_class = is_class
        self.read, self.bound, self.outer = set(), set(), set()

    def free(self):
        """The names it takes from around it."""
        return (self.read - self.bound) | self.outer

    def take(self, inner):
        """What a scope within takes from around itself. A class lends its names to none."""
        free = inner.free()
        if self.is_class:
            self.outer |= free
        else:
            self.read |= free

    def visit(self, node):
        if isinstance(node, FUNCTIONS):
            self.bound.add(node.name)
            self.all(node.decorator_list)
            self.function(node.args, node.body)
        elif isinstance(node, ast.Lambda):
            self.function(node.args, [node.body])
        elif isinstance(node, ast.ClassDef):
            self.bound.add(node.name)
            self.all([*node.decorator_list, *node.bases, *(word.value for word in node.keywords)])
            inner = Scope(is_class=True)
            inner.all(node.body)
            self.take(inner)
        elif isinstance(node, COMPREHENSIONS):
            self.visit(node.generators[0].iter)
            inner = Scope()
            inner.all(part for g in node.generators for part in (g.target, *g.ifs))
            inner.all(g.iter for g in node.generators[1:])
            inner.all([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt])
            self.bound |= {n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr)}
            inner.bound -= {n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr)}
            self.take(inner)
        elif isinstance(node, ast.Name):
            (self.read if isinstance(node.ctx, ast.Load) else self.bound).add(node.id)
            if isinstance(node.ctx, ast.Del):
                self.read.add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            self.bound |= {imported(alias) for alias in node.names}
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            self.outer |= set(node.names)
        elif isinstance(node, ast.AnnAssign):
            self.all([node.target, *([node.value] if node.value else [])])
        elif isinstance(node, ast.AugAssign):
            self.all([node.target, node.value])
            if isinstance(node.target, ast.Name):
                self.read.add(node.target.id)
        else:
            for field in ("name", "rest"):
                if isinstance(name := getattr(node, field, None), str):
                    self.bound.add(name)
            self.all(ast.iter_child_nodes(node))

    def all(self, nodes):
        for node in nodes:
            self.visit(node)

    def function(self, args, body):
        self.all([*args.defaults, *(default for default in args.kw_defaults if default)])
        inner = Scope()
        named = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
        inner.bound |= {argument.arg for argument in named if argument}
        inner.all(body)
        inner.bound -= inner.outer
        self.take(inner)


def of(node):
    """The scope of a statement of the module."""
    scope = Scope()
    scope.visit(node)
    return scope


def imported(alias):
    """The name that an import binds."""
    return alias.asname or alias.name.partition(".")[0]


def root(node):
    """The name that a chain of attributes and places begins with, or None."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def changed(node, functions, within=()):
    """The names whose objects a statement may change when it runs. `functions` are the module's own, by name."""
    found = set()
    for part in running(node):
        if isinstance(part, (ast.Attribute, ast.Subscript)) and not isinstance(part.ctx, ast.Load):
            found.add(root(part))
        elif isinstance(part, ast.Call):
            called = part.func
            if isinstance(called, ast.Attribute) and called.attr.startswith(MUTATORS):
                found.add(root(called))
            name = root(called)
            if name in functions and name not in within:
                found |= {argument.id for argument in part.args if isinstance(argument, ast.Name) and argument.id not in functions}
                found |= of_function(functions[name], functions, (*within, name))
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        for decorator in node.decorator_list:
            name = root(decorator.func if isinstance(decorator, ast.Call) else decorator)
            if name in functions and name not in within:
                found |= of_function(functions[name], functions, (*within, name))
    return found - {None}


def of_function(function, functions, within):
    """The names of the module whose objects, or which themselves, a function and those within it may change."""
    free = of(function).free()
    found = {name for part in ast.walk(function) if isinstance(part, ast.Global) for name in part.names}
    inner = [part for part in ast.walk(function) if isinstance(part, DEFERRED)]
    for part in [*inner, function]:
        for statement in part.body if isinstance(part.body, list) else [part.body]:
            found |= changed(statement, functions, within) & (free | set(functions))
    return found


def running(node):
    """The parts of a statement that run with it: not what stands in a function."""
    left = [node]
    while left:
        part = left.pop()
        if isinstance(part, DEFERRED):
            left += [*getattr(part, "decorator_list", ()), *part.args.defaults]
        else:
            yield part
            left += ast.iter_child_nodes(part)
