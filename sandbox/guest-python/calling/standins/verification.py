"""`math_verify` and `latex2sympy2_extended`: what they find and compare is what this program's own verifier says.

The verifier runs outside of the interpreter. A question that it has not answered yet is written down, and a guess stands in for its answer; when
the batch is done, the host answers what was asked and runs the batch again, until nothing new is asked.
"""

import json
import re

from . import add, refuse

# Answers by question, and the questions that have none yet, in the order they were asked.
known = {}
asked = {}

COMMAND = re.compile(r"\\(?:text|mathrm|textbf|mbox)\s*\{[^{}]*\}|\\[a-zA-Z]+")
SHORT_WORD, LONG_WORD = re.compile(r"[^\W\d_]{2,}"), re.compile(r"\w{3}")
LONGEST_BARE = 200
# The marks that an answer in LaTeX, or in plain digits, stands behind; and those of an answer that is called one, which may be either.
STRATEGIES = {"latex": ["boxed", "last_formula"], "expr": ["answer_line", "answer_is", "final_line", "last_number"]}
CALLED = ["answer_line", "answer_is"]
ENVIRONMENTS = ("$", "\\(", "\\[", "\\boxed", "\\begin")


def ask(*question):
    """The answer to a question; None while there is none."""
    key = json.dumps(question)
    if key in known:
        return known[key]
    asked[key] = None
    return None


def answered(questions, answers):
    """Takes what the host says."""
    known.update(zip(questions, answers))


class Config:
    """Settings, which are kept and mostly not looked at."""

    kind = None

    def __init__(self, *values, **settings):
        self.values = values
        self.__dict__.update(settings)


class LatexExtractionConfig(Config):
    kind = "latex"


class ExprExtractionConfig(Config):
    kind = "expr"


class StringExtractionConfig(Config):
    kind = "string"
    strings = ("A", "B", "C", "D")


class NormalizationConfig(Config):
    pass


class TimeoutException(Exception):
    """Never raised: nothing here has a clock."""


def parse(pred, extraction_config=None, *_, **__):
    """The answer in a text, twice, as the package returns an expression and its text; nothing where there is none."""
    text = pred if isinstance(pred, str) else str(pred)
    configs = [LatexExtractionConfig(), ExprExtractionConfig()] if extraction_config is None else list(extraction_config)
    kinds = {config.kind for config in configs}
    found = None
    if kinds & {"latex", "expr"}:
        found = mathematics(text, kinds - {"string"})
    if found is None and "string" in kinds:
        found = choice(text, next(config for config in configs if config.kind == "string"))
    return [found, found] if found else []


def mathematics(text, kinds):
    if kinds == {"latex"} and not any(mark in text for mark in ENVIRONMENTS):
        return None
    if is_bare(text):
        return text.strip()
    strategies = None if len(kinds) == 2 else STRATEGIES[next(iter(kinds))]
    answer = ask("extract", text, strategies)
    if kinds == {"latex"} and "\\boxed" not in text:
        # A formula that is called the answer comes before the last one, which may be of a remark.
        called = ask("extract", text, CALLED)
        if called and any(mark in called for mark in ENVIRONMENTS):
            answer = called
    return text.strip() if answer is None else answer[1:] or None


def is_bare(text):
    """Whether a text is an answer by itself, without words round it."""
    text = text.strip()
    if len(text) > LONGEST_BARE or "\n" in text or "\\boxed" in text:
        return False
    words = SHORT_WORD.findall(COMMAND.sub(" ", text))
    # Scripts without spaces have words of one letter.
    return len(words) < 2 and not any(map(LONG_WORD.match, words)) and not any(c.isalpha() and c > "\u2e7f" for c in text)


def choice(text, config):
    """The last of a choice's letters that stands alone."""
    words = "|".join(re.escape(word) for word in config.strings)
    found = re.findall(rf"(?<!\w)({words})(?!\w)", text)
    return found[-1] if found else None


def verify(gold, target, *_, **__):
    """Whether one of the answers found is one of the right ones."""
    return any(same(one, other) for one in texts(gold) for other in texts(target))


def texts(found):
    """The texts that something was found as."""
    if isinstance(found, (list, tuple)):
        return list(dict.fromkeys(str(one) for one in found))
    return [str(found)]


def same(gold, target):
    answer = ask("compare", target, gold)
    return gold.strip() == target.strip() if answer is None else answer == "1"


def math_metric(gold_extraction_target=None, pred_extraction_target=None, aggregation_function=max, **_):
    """What verl calls: a function of lists of references and of predictions."""

    def metric(golds, predictions):
        right = [parse(gold, gold_extraction_target) for gold in golds]
        given = [parse(prediction, pred_extraction_target) for prediction in predictions]
        scores = [float(any(verify(gold, one) for gold in right)) for one in given]
        found = ([text for gold in right for text in gold], [text for one in given for text in one])
        return aggregation_function(scores) if scores else 0.0, found

    return metric


configs = {one.__name__: one for one in (LatexExtractionConfig, ExprExtractionConfig, StringExtractionConfig)}
add("math_verify", parse=parse, verify=verify, TimeoutException=TimeoutException, **configs)
add("math_verify.parser", parse=parse, NormalizationConfig=NormalizationConfig, **configs)
add("math_verify.grader", verify=verify, sympy_expr_eq=refuse("math_verify.grader.sympy_expr_eq"))
add("math_verify.metric", math_metric=math_metric)
add("math_verify.errors", TimeoutException=TimeoutException)
normalization = {"NormalizationConfig": NormalizationConfig, "latex2sympy": refuse("latex2sympy2_extended.latex2sympy")}
add("latex2sympy2_extended", **normalization)
add("latex2sympy2_extended.latex2sympy2", **normalization)
add("latex2sympy2_extended.math_normalization", **normalization)
