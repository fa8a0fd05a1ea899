"""The shapes a reward function may have: whose trainer it was written for, by the names of its parameters; and how it is called then.

| shape | recognised by |
|---|---|
| TRL, ms-swift | `completions` (or `completion_ids`): the batch, and every column by its name |
| verl | `solution_str` with `ground_truth`; `solution_strs` for a batch |
| EasyR1 | `reward_inputs`, a list of dicts, or `reward_input`, one |
| OpenRLHF | `queries` with `prompts` and `labels`; a query is the prompt and the completion |
| verifiers | `trace` (and `task`); or `completion` with `answer`, `prompt`, `state`, `info` |
| a pair | one of the usual names of a completion, one of a reference answer; in the plural, lists of them |
"""

import types
import zlib

from . import seeded, standins
from .refused import Refused

# The columns of reference answers and of completions, by the names that people give them.
ANSWERS = ("answer", "solution", "ground_truth", "target", "label")
REFERENCE = ("reference", "gold", "gt", "truth", "expected", "reference_answer", "gold_answer", "correct_answer", "golden_answer", "ref", "label")
COMPLETION = ("completion", "response", "solution_str", "predict_str", "prediction", "pred", "output", "model_output", "generation")
COMPLETION += ("generated_text", "model_response", "predicted", "candidate", "text")
PROMPT = ("prompt", "question", "query", "problem", "instruction", "input")
ALL_ANSWERS = (*ANSWERS, *REFERENCE)
PER_SAMPLE = ("data_source", "extra_info", "info", "state", "parser")
OF_TRL = ("prompts", "completions", *ANSWERS, "correct", "extracted")
GIVEN = ("trainer_state", "log_extra", "log_metric")
SCORE = ("score", "reward", "overall", "total")
NAMES = ("trl", "verl", "verl_batch", "easyr1", "openrlhf", "verifiers", "pair", "pairs")
WORDS = {
    "trl": "TRL's: `completions` and columns by name",
    "verl": "verl's: one `solution_str` at a time",
    "verl_batch": "verl's for batches: `solution_strs`",
    "easyr1": "EasyR1's: dicts with `response` and `ground_truth`",
    "openrlhf": "OpenRLHF's: `queries`, `prompts`, `labels`",
    "verifiers": "verifiers': `task` and `trace`",
    "pair": "one completion and its reference answer at a time",
    "pairs": "lists of completions and reference answers",
}


class Parameters:
    """What can be passed to a function, by name."""

    def __init__(self, names=(), required=(), everything=False, line=None, positional=()):
        self.names, self.required, self.everything, self.line, self.positional = names, required, everything, line, positional

    @classmethod
    def of(cls, thing):
        """Those of a function, a partial, or an object that can be called; of a decorator's object, everything."""
        bound = 0
        given = set()
        function = thing
        if hasattr(function, "func") and hasattr(function, "keywords"):
            given, bound = set(function.keywords), len(function.args)
            function = function.func
        function = getattr(function, "__wrapped__", function)
        if isinstance(function, types.MethodType):
            function, bound = function.__func__, bound + 1
        elif not isinstance(function, types.FunctionType):
            function = getattr(type(function), "__call__", None)
            bound += 1
        if not isinstance(function, types.FunctionType):
            return cls(everything=True)
        code, defaults = function.__code__, function.__defaults__ or ()
        positional = code.co_varnames[bound : code.co_argcount]
        only = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
        without = code.co_varnames[bound : max(bound, code.co_argcount - len(defaults))]
        required = (*without, *(name for name in only if name not in (function.__kwdefaults__ or {})))
        by_name = code.co_varnames[max(bound, code.co_posonlyargcount) : code.co_argcount + code.co_kwonlyargcount]
        return cls(by_name, tuple(n for n in required if n not in given), bool(code.co_flags & 0x08), code.co_firstlineno, positional)


def recognised(parameters):
    """The name of the shape, or None."""
    names = parameters.names
    if "completions" in names or "completion_ids" in names:
        return "trl"
    if "queries" in names and "labels" in names:
        return "openrlhf"
    if "solution_strs" in names:
        return "verl_batch"
    if "reward_inputs" in names or "reward_input" in names:
        return "easyr1"
    if "trace" in names:
        return "verifiers"
    if "solution_str" in names and "ground_truth" in names:
        return "verl"
    completion, reference = first(names, COMPLETION), first(names, ALL_ANSWERS)
    if completion and reference or completion and parameters.everything:
        return "pair"
    if first(names, plurals(COMPLETION)) and (first(names, plurals(ALL_ANSWERS)) or parameters.everything):
        return "pairs"
    if parameters.everything and not names:
        return "trl"
    return None


def plurals(names):
    return tuple(name + "s" for name in names)


def first(names, wanted):
    return next((name for name in names if name in wanted), None)


class Shape:
    """A function and how it is called."""

    def __init__(self, name, function, shape=None):
        self.name, self.function = name, function
        self.parameters = Parameters.of(function)
        self.shape = shape or recognised(self.parameters)
        if self.shape is None:
            raise Refused(
                "function",
                f"`{name}` has a signature that no trainer here is known to call: ({', '.join(self.parameters.names)}); expected `completions, **kwargs` "
                "(TRL), `data_source, solution_str, ground_truth, extra_info` (verl), `queries, prompts, labels` (OpenRLHF) or `completion, reference`; "
                "`# reward-search: signature=pair` on top of the file takes the first two parameters for those",
                self.parameters.line,
            )
        self.alone = self.shape in ("verl", "verifiers", "pair") or "reward_input" in self.parameters.names

    def takes(self, column):
        """Whether the host need pass this column."""
        if self.shape != "trl":
            return column not in ("correct", "extracted")
        return self.parameters.everything or column in self.parameters.names

    def call(self, columns):
        """What the function returns for a batch: a list, or a dict of lists."""
        result = self.each(columns) if self.alone else self.batch(columns)
        result = finished(result)
        if isinstance(result, dict) and self.shape == "openrlhf":
            if "rewards" not in result:
                raise Refused("returned", f"`{self.name}` returned a dict without `rewards`")
            result = result["rewards"]
        if type(result) is list and result and all(type(one) is dict for one in result):
            return [number(one) for one in result]
        return listed(result)

    def batch(self, columns):
        completions, answers = columns["completions"], columns["answer"]
        if self.shape == "trl":
            return self.function(**self.of_trl(columns))
        if self.shape == "openrlhf":
            prompts = columns["prompts"]
            queries = [joined(p, c) for p, c in zip(prompts, completions)]
            return self.function(**self.chosen({"queries": queries, "prompts": prompts, "labels": answers, **columns["rows"]}))
        if self.shape == "easyr1":
            rows = [{"response": c, "response_length": len(c), "ground_truth": a} for c, a in zip(completions, answers)]
            for name, column in columns["rows"].items():
                for row, value in zip(rows, column):
                    row[name] = value
            return self.function(**self.chosen({"reward_inputs": rows}))
        if self.shape == "verl_batch":
            rows = columns["rows"]
            given = {"solution_strs": completions, "ground_truths": answers}
            given |= {"data_sources": rows.get("data_source", [None] * len(answers)), "extra_infos": rows.get("extra_info", [None] * len(answers))}
            return self.function(**self.chosen(given))
        if self.directed():
            return self.function(completions, answers)
        given = dict(columns["rows"])
        given |= dict.fromkeys(plurals(COMPLETION), completions) | dict.fromkeys(plurals(ALL_ANSWERS), answers)
        return self.function(**self.chosen(given | dict.fromkeys(plurals(PROMPT), columns["prompts"])))

    def directed(self):
        """Whether the parameters go by place, since their names say nothing."""
        return self.shape in ("pair", "pairs") and recognised(self.parameters) not in ("pair", "pairs")

    def each(self, columns):
        made = []
        for place, completion in enumerate(columns["completions"]):
            row = {name: column[place] for name, column in columns["rows"].items()}
            prompt, answer = columns["prompts"][place], columns["answer"][place]
            # A reward should not be random; where it is, its numbers depend on the sample alone.
            seeded.random.seed(zlib.crc32(repr((completion, answer)).encode("utf-8", "replace")) + seeded.start[0])
            result = finished(self.one(prompt, completion, answer, row))
            made.append(result)
        if made and all(isinstance(one, dict) and not first(one, SCORE) for one in made):
            return {name: [value[name] for value in made] for name in made[0]}
        return [number(one) for one in made]

    def one(self, prompt, completion, answer, row):
        if self.shape == "verifiers":
            return self.function(**self.chosen(row | {"task": task(prompt, answer, row), "trace": trace(prompt, completion)}, extra=False))
        if "reward_input" in self.parameters.names:
            return self.function(**self.chosen({"reward_input": {"response": completion, "ground_truth": answer, **row}}))
        if self.directed():
            return self.function(completion, answer)
        given = dict.fromkeys(PER_SAMPLE) | {"state": {}} | row
        given |= {name: completion for name in COMPLETION} | {name: prompt for name in PROMPT if name not in row}
        given |= {name: answer for name in ALL_ANSWERS if name not in row and name not in COMPLETION}
        return self.function(**self.chosen(given, extra=False))

    def chosen(self, given, extra=True):
        """What it takes of it. What it needs beyond is named."""
        self.check(given)
        if self.parameters.everything and extra:
            return given
        taken = {name: value for name, value in given.items() if name in self.parameters.names}
        if self.parameters.everything and self.shape == "pair":
            taken |= {name: value for name, value in given.items() if name in ANSWERS and name not in taken}
        return taken

    def of_trl(self, columns):
        count = len(columns["completions"])
        given = {name: columns[name] for name in ("prompts", "completions")}
        given |= dict.fromkeys(ANSWERS, columns["answer"]) | {name: columns[name] for name in ("correct", "extracted")} | columns["rows"]
        given |= {"log_extra": ignored, "log_metric": ignored, "trainer_state": types.SimpleNamespace(global_step=0, epoch=0.0, max_steps=0)}
        self.check(given)
        if columns.get("guess"):
            given |= {name: [None] * count for name in self.parameters.required if name not in given}
        own = self.parameters.names
        return {n: v for n, v in given.items() if n in own or self.parameters.everything and n not in GIVEN}

    def check(self, given):
        lacking = [name for name in self.parameters.required if name not in given]
        if lacking and not guessing[0]:
            there = ", ".join(sorted(set(given) - set(GIVEN)))
            raise Refused(
                "column",
                f"`{self.name}` needs {' and '.join(f'`{name}`' for name in lacking)}, a column that the samples do not have; there are {there}. "
                "Give it as a key of every sample",
                self.parameters.line,
            )


# Whether missing columns are made up: while a function is tried out.
guessing = [False]


def ignored(*_, **__):
    """What TRL passes for figures to be logged."""


def joined(prompt, completion):
    return prompt + completion if isinstance(prompt, str) else [*prompt, *completion]


def task(prompt, answer, row):
    """verifiers' task: the question, and the fields of the row."""
    named = dict.fromkeys(ANSWERS, answer) | {"question": prompt, "info": {}} | row
    return types.SimpleNamespace(**named, prompt=prompt, prompt_text=prompt, data=types.SimpleNamespace(**named))


def trace(prompt, completion):
    """verifiers' trace of one reply."""
    asked, said = {"role": "user", "content": prompt}, {"role": "assistant", "content": completion}
    messages = [types.SimpleNamespace(**message) for message in (asked, said)]
    return types.SimpleNamespace(last_reply=completion, messages=messages, completion=[said], num_turns=1, reward=0.0, state={}, info={})


def finished(result):
    """The result of a coroutine, or a result as it is."""
    return standins.waiting.run(result) if hasattr(result, "__await__") else result


def number(result):
    """The score in what a function returned for one sample."""
    if isinstance(result, dict):
        name = first(SCORE, result)
        if name is None:
            raise Refused("returned", f"returned a dict without `score`: it has {', '.join(map(str, result))}")
        return result[name]
    return listed(result)


def listed(result):
    """An array as a list, or as the number in it."""
    return result.tolist() if isinstance(result, standins.arrays.ndarray) else result
