"""Small changes to what a reward reaches of its file, each in one place. Completions that no change moves a score of say nothing of that place."""

import ast

from calling import scopes

OPPOSITE = {
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
TERMS = (ast.Add, ast.Sub, ast.Mult, ast.Div)
# What is not looked into: texts with fields, whose quotes are not ours to keep; places; annotations are left out by `children`.
SKIPPED = (ast.JoinedStr, ast.Import, ast.ImportFrom)
LONGEST = 60


def of(tree, source, most):
    """Up to so many changes, spread over the file: line, words, and the file as changed."""
    lines = source.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    text = source.encode()
    made = []
    for node in walked(tree):
        for changed in changes(node):
            start, end = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
            before, after = text[start:end].decode(), ast.unparse(changed)
            made.append((node.lineno, f"`{short(before)}` becomes `{short(after)}`", (text[:start] + f"({after})".encode() + text[end:]).decode()))
    made.sort(key=lambda one: one[0])
    every = max(1, -(-len(made) // max(most, 1)))
    return made[::every]


def walked(tree):
    left = [tree]
    while left:
        node = left.pop()
        yield node
        left += [child for child in children(node) if not isinstance(child, SKIPPED)]


def children(node):
    if isinstance(node, ast.Subscript):
        return [node.value]
    if isinstance(node, scopes.FUNCTIONS):
        return [*node.args.defaults, *(default for default in node.args.kw_defaults if default), *node.body]
    if isinstance(node, ast.AnnAssign):
        return [node.value] if node.value else []
    if isinstance(node, (ast.While, ast.ClassDef)):
        return node.body
    return ast.iter_child_nodes(node)


def changes(node):
    """What may stand in the place of an expression."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield ast.Compare(node.left, [OPPOSITE[type(node.ops[0])]()], node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, TERMS):
        yield node.left
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        yield ast.Constant(type(node.value)(node.value == 0))


def short(text):
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
