"""Decides on the completions of countdown.toml: right, wrong, or no answer."""

import re


def value(equation):
    """What an expression of numbers comes to, or None."""
    if not re.fullmatch(r"[\d\s+\-*/().]+", equation):
        return None
    try:
        return eval(equation, {"__builtins__": None}, {})
    except Exception:
        return None


def decide(completions, target, nums, **kwargs):
    """1 for an equation of all the numbers that makes the target, -1 where there is none at all, else 0."""
    verdicts = []
    for completion, goal, numbers in zip(completions, target, nums):
        answers = re.findall(r"<answer>(.*?)</answer>", completion, re.DOTALL)
        if not answers:
            verdicts.append(-1.0)
            continue
        equation = answers[-1].split("=")[0].strip()
        used = sorted(int(number) for number in re.findall(r"\d+", equation))
        result = value(equation)
        right = used == sorted(numbers) and result is not None and abs(result - goal) < 1e-9
        verdicts.append(float(right))
    return verdicts
