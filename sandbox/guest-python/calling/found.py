"""Which rewards a file holds, found in its syntax tree: functions, partials, lambdas, objects and classes that can be called, factories."""

import ast

from . import scopes, shapes


class Found:
    """Something that looks like a reward."""

    def __init__(self, name, parameters, shape):
        self.name, self.parameters, self.shape = name, parameters, shape


def parameters(args, skip=0):
    """As `shapes.Parameters`, from the syntax tree."""
    named = [argument.arg for argument in (*args.posonlyargs, *args.args)][skip:]
    only = [argument.arg for argument in args.kwonlyargs]
    required = named[: len(named) - len(args.defaults)] if args.defaults else named
    required = [*required, *(name for name, default in zip(only, args.kw_defaults) if default is None)]
    by_name = [argument.arg for argument in args.args][skip if not args.posonlyargs else 0 :] + only
    return shapes.Parameters(tuple(by_name), tuple(required), args.kwarg is not None)


def called_inside(node, name):
    """Whether a function calls another."""
    return any(isinstance(part, ast.Call) and scopes.root(part.func) == name for part in ast.walk(node) if part is not node)


class Finder:
    """Looks at the statements of a module."""

    def __init__(self, nodes):
        self.functions = {node.name: node for node in nodes if isinstance(node, scopes.FUNCTIONS)}
        self.classes = {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}
        self.found, self.factories = {}, []
        for node in nodes:
            if isinstance(node, scopes.FUNCTIONS):
                self.function(node)
            elif isinstance(node, ast.ClassDef):
                self.of_class(node)
            elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                self.assigned(node.targets[0].id, node.value)

    def rewards(self):
        """The rewards, without the helpers of others."""
        public = [one for one in self.found.values() if not one.name.startswith("_")]
        proper = [one for one in public if not self.is_helper(one)]
        strong = [one for one in proper if one.shape not in ("pair", "pairs")]
        # Next to rewards of a trainer's own shape, functions of a completion and an answer are helpers.
        return strong or proper or public

    def is_helper(self, one):
        if one.shape in ("trl", "verl_batch") and (one.parameters.everything or len(one.parameters.names) > 1):
            return False
        if one.shape in ("verl", "openrlhf", "verifiers", "easyr1") and "gt" not in one.parameters.names:
            name = one.name
            return one.shape == "verl" and any(called_inside(f, name) for n, f in self.functions.items() if n != name)
        name = one.name.partition("(")[0]
        others = [node for n, node in {**self.functions, **self.classes}.items() if n != name]
        return any(called_inside(node, name) for node in others)

    def add(self, name, made):
        shape = shapes.recognised(made)
        if shape is not None and (made.names or name in self.found):
            self.found.pop(name, None)
            self.found[name] = Found(name, made, shape)

    def function(self, node):
        own = parameters(node.args)
        if shapes.recognised(own) is not None and (own.names or not inner(node)):
            return self.add(node.name, own)
        for part in inner(node):
            made = parameters(part.args)
            if shapes.recognised(made) in ("trl", "verl", "openrlhf", "verl_batch"):
                if returns(node, part.name):
                    # A factory: a reward where it can be called without arguments.
                    if own.required:
                        self.factories.append(f"{node.name}({', '.join(f'{name}=…' for name in own.required)})")
                    else:
                        self.add(f"{node.name}()", made)
                elif not any(arg in scopes.of(part).free() for arg in (a.arg for a in node.args.args)):
                    self.add(part.name, made)

    def of_class(self, node):
        method = self.method(node, "__call__")
        if method is None or any(is_abstract(part) for part in node.body):
            return
        made = self.method(node, "__init__")
        if made is None or not parameters(made.args, 1).required:
            self.add(node.name, parameters(method.args, 1))

    def method(self, node, name, depth=0):
        """A method of a class, or of those it is made of."""
        for part in node.body:
            if isinstance(part, scopes.FUNCTIONS) and part.name == name:
                return part
        for base in node.bases:
            of = self.classes.get(scopes.root(base))
            if of is not None and depth < 8:
                found = self.method(of, name, depth + 1)
                if found is not None:
                    return found
        return None

    def assigned(self, name, value):
        if isinstance(value, ast.Lambda):
            return self.add(name, parameters(value.args))
        if not isinstance(value, ast.Call):
            return
        called = scopes.root(value.func)
        if called in self.classes:
            method = self.method(self.classes[called], "__call__")
            if method is not None:
                self.found.pop(called, None)
                self.add(name, parameters(method.args, 1))
        elif called in self.functions:
            for part in inner(self.functions[called]):
                if returns(self.functions[called], part.name):
                    self.found.pop(f"{called}()", None)
                    self.add(name, parameters(part.args))
        elif getattr(value.func, "attr", getattr(value.func, "id", None)) == "partial" and value.args:
            of = self.functions.get(scopes.root(value.args[0]))
            if of is not None:
                made = parameters(of.args)
                given = {word.arg for word in value.keywords}
                self.found.pop(of.name, None)
                self.add(name, shapes.Parameters(made.names, tuple(n for n in made.required if n not in given), made.everything))


def is_abstract(part):
    return "abstractmethod" in {name for decorator in getattr(part, "decorator_list", ()) for name in (*names(decorator), getattr(decorator, "attr", ""))}


def inner(node):
    return [part for part in node.body if isinstance(part, scopes.FUNCTIONS)]


def returns(node, name):
    """Whether a function returns one that it defines."""
    return any(isinstance(part, ast.Return) and part.value is not None and name in names(part.value) for part in node.body)


def names(value):
    return {part.id for part in ast.walk(value) if isinstance(part, ast.Name)}
