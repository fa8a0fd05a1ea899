"""A head start for regular expressions: patterns that were compiled before, in the form the matcher runs on.

Compiling a pattern costs more here than searching a batch with it, and every batch starts in a fresh interpreter. So the
reward is run once on texts that never change, and what its patterns were compiled to is handed to every later interpreter.
That depends on the reward alone, and a pattern compiled twice is the same twice: no score can differ.
"""

import _sre
import marshal
from re import _compiler, _parser

LONGEST = 64
compile_anew = _compiler.compile
known = {}


def compile_known(pattern, flags=0):
    """Takes the place of the compiler of `re`."""
    parts = known.get((pattern, flags)) if type(pattern) is str else None
    return compile_anew(pattern, flags) if parts is None else _sre.compile(*parts)


def restore(stored):
    """Takes what `learned` returned, or nothing."""
    if stored:
        known.update(marshal.loads(stored))


def learned(work):
    """The patterns that are compiled while `work` runs."""
    asked = {}

    def asking(pattern, flags=0):
        if type(pattern) is str and len(asked) < LONGEST:
            asked[pattern, int(flags)] = None
        return compile_anew(pattern, flags)

    _compiler.compile = asking
    try:
        work()
    finally:
        _compiler.compile = compile_known
    return marshal.dumps({key: parts(*key) for key in asked})


def parts(pattern, flags):
    """What the compiler of `re` gives the matcher."""
    tree = _parser.parse(pattern, flags)
    state = tree.state
    names = [None] * state.groups
    for name, number in state.groupdict.items():
        names[number] = name
    # Its operation codes are integers with names.
    code = [int(word) for word in _compiler._code(tree, flags)]
    return pattern, int(flags | state.flags), code, state.groups - 1, dict(state.groupdict), tuple(names)


_compiler.compile = compile_known
