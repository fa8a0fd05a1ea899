"""Rewards in Python, run as plain Python in this process: NOT sandboxed. In the search they ran in CPython inside WebAssembly.

The file is what was screened, and is called the same way: by the columns it asks for. Its arithmetic is that of this interpreter; what `math`
takes from the system's C library (exp, log, pow, …) may differ from the search's in the last bit.
"""

import math
import types
from decimal import Decimal
from numbers import Real

from .sandbox import RewardFault, Sample, contents, manifest

ANSWERS = ("answer", "solution", "ground_truth", "target", "label")
DIRECTIVE = "# reward-search: "
VAR_KEYWORDS = 0x08
#: What Python says of `completion[0]["content"]` and its like where the completion is a text.
WANTS_MESSAGES = ("string indices must be integers", "'str' object has no attribute 'get'", "'str' object has no attribute 'items'")


class PythonReward:
    """A reward function in a file of this folder, run in this interpreter."""

    of_groups = False

    def __init__(self, member):
        self.name = member["function"]
        code = contents(member["wasm"], member["wasm_sha256"]).decode()
        directives = _directives(code)
        module = types.ModuleType(f"{__package__}.{self.name}")
        exec(compile(code, member["wasm"], "exec"), module.__dict__)
        self.function = module.__dict__[directives.get("function") or _only(module.__dict__)]
        plain = isinstance(self.function, types.FunctionType)
        code = self.function.__code__ if plain else None
        self.names = code.co_varnames[code.co_posonlyargcount : code.co_argcount + code.co_kwonlyargcount] if code else ()
        self.everything = code is None or bool(code.co_flags & VAR_KEYWORDS)
        said = directives.get("completions")
        self.conversational = said == "conversational" if said else self._wants_messages()

    def _wants_messages(self):
        """Whether it takes completions for lists of messages: as in the search it is tried on texts that never change."""
        samples = [Sample(**typical) for typical in manifest()["typical"]]
        self.conversational = False
        try:
            self._scores(samples)
        except RewardFault as fault:
            if not any(said in fault.message for said in WANTS_MESSAGES):
                return False
        else:
            return False
        self.conversational = True
        try:
            self._scores(samples)
        except RewardFault:
            return False
        return True

    def scores(self, samples):
        """One finite number a sample. Raises `RewardFault`; its index is the first sample that fails alone."""
        try:
            return self._scores(samples)
        except RewardFault as fault:
            if len(samples) > 1:
                for index, sample in enumerate(samples):
                    try:
                        self._scores([sample])
                    except RewardFault as alone:
                        raise RewardFault(alone.kind, self.name, index, alone.message) from None
            raise fault from None

    def _scores(self, samples):
        prompts, completions = [s.prompt for s in samples], [s.completion for s in samples]
        if self.conversational:
            prompts = [[{"role": "user", "content": text}] for text in prompts]
            completions = [[{"role": "assistant", "content": text}] for text in completions]
        columns = {
            "prompts": prompts,
            "completions": completions,
            **{name: [s.answer for s in samples] for name in ANSWERS},
            "correct": [s.correct for s in samples],
            "extracted": [s.extracted for s in samples],
        }
        try:
            result = self.function(**{name: column for name, column in columns.items() if self.everything or name in self.names})
        except Exception as error:
            raise RewardFault("exception", self.name, 0, f"{type(error).__name__}: {error}") from error
        total = [0.0] * len(samples)
        for values in result.values() if isinstance(result, dict) else [result]:
            for place, value in enumerate(self._column(values, len(samples))):
                total[place] += value
        for index, value in enumerate(total):
            if not math.isfinite(value):
                raise RewardFault("not_finite", self.name, index, "the score is not a finite number")
        return total

    def _column(self, values, count):
        if not isinstance(values, (list, tuple)):
            raise RewardFault("wrong_return", self.name, 0, f"returned {type(values).__name__}; it must be a list of {count} numbers")
        if len(values) != count:
            raise RewardFault("wrong_length", self.name, 0, f"{len(values)} scores for {count} completions")
        return [self._number(value, index) for index, value in enumerate(values)]

    def _number(self, value, index):
        if not isinstance(value, (Real, Decimal)):
            raise RewardFault("wrong_return", self.name, index, f"returned {type(value).__name__}; a score must be a number")
        try:
            return float(value)
        except OverflowError:
            return math.inf


def _directives(code):
    """What the lines `# reward-search: KEY=VALUE` at the end of a file ask for, or else those on top."""
    lines, found = code.splitlines(), {}
    for line in lines[::-1]:
        if not line.startswith(DIRECTIVE):
            break
        key, _, value = line.removeprefix(DIRECTIVE).strip().partition("=")
        found.setdefault(key, value)
    # The first line names the interpreter that the file was packed for.
    for line in lines[1:]:
        if not line.startswith("#"):
            break
        if line.startswith(DIRECTIVE):
            key, _, value = line.removeprefix(DIRECTIVE).strip().partition("=")
            found.setdefault(key, value)
    return found


def _only(namespace):
    """The function called `reward`, or the only public one that takes completions."""
    names = [
        name
        for name, value in namespace.items()
        if isinstance(value, types.FunctionType) and not name.startswith("_") and "completions" in value.__code__.co_varnames
    ]
    return "reward" if "reward" in names else names[0]
