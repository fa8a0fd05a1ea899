"""Rewards to test with, in files and exported, and batches to score."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = os.environ["REWARD_SEARCH_PROGRAM"]
DATA = Path(__file__).parents[3] / "evaluator/tests/data/sample"

MINE = """
pub fn reward(sample: &Sample) -> f64 {
    if sample.correct() { 1.0 } else { 0.25 * (1.0 + sample.completion().len() as f64).ln() }
}
"""
DIGITS = r"""
use regex::Regex;
pub fn reward(sample: &Sample) -> f64 {
    let number = Regex::new(r"-?\d+(\.\d+)?").unwrap();
    number.find_iter(sample.completion()).count() as f64 / 7.0
}
"""
SHAPE = '''
import math
import re


def brevity(completions, **kwargs):
    """Short is good."""
    return [math.exp(-len(text) / 300) for text in completions]


def tagged(completions, correct, extracted, **kwargs):
    tags = [len(re.findall("<solution>", text)) for text in completions]
    return [float(n == 1) + 0.5 * right + 0.1 * (found is not None) for n, right, found in zip(tags, correct, extracted)]
'''
# Goes round for ever where a completion asks for it, divides by zero where another does.
TRAP = """
pub fn reward(sample: &Sample) -> f64 {
    let mut n = 1u64;
    while sample.completion().contains("loop") {
        n = n.wrapping_mul(3);
        if n == 0 { break; }
    }
    if sample.completion().contains("infinite") { 1.0 / 0.0 } else { n as f64 }
}
"""
GROUP = """
pub fn reward_group(samples: &[Sample]) -> Vec<f64> {
    samples.iter().map(|sample| sample.completion().len() as f64 / samples.len() as f64).collect()
}
"""
#: What the exported package below holds.
MEMBERS = ["mine", "digits", "terse", "tagged"]
#: In Python, with regular expressions and the verdict, and without functions of the C library.
PLAIN = """
import re

def terse(completions, **kwargs):
    return [1 / (1 + len(text) / 300) ** 3 for text in completions]

def tagged(completions, correct, extracted, **kwargs):
    tags = [len(re.findall(r"<solution>|\\bA: \\d+", text)) for text in completions]
    return [float(n == 1) + 0.5 * right + 0.1 * (found is not None) for n, right, found in zip(tags, correct, extracted)]
"""


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rewards")
    for name, text in {"mine.rs": MINE, "digits.rs": DIGITS, "shape.py": SHAPE, "plain.py": PLAIN, "trap.rs": TRAP, "group.rs": GROUP}.items():
        (folder / name).write_text(text)
    return folder


def export(folder, *arguments, code=0):
    done = subprocess.run([PROGRAM, "export", *map(str, arguments)], capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == code, done.stderr
    return done.stderr if code else done.stdout


@pytest.fixture(scope="session")
def exported(folder):
    """A package with rewards in Rust, with regular expressions, in Python, and with `correct`; its name."""
    arguments = ["mine.rs", "digits.rs", "plain.py", "--weights", "1,0.5,-2,0.1", "--to", "trl,verl,verifiers"]
    export(folder, *arguments, "exported_rewards")
    sys.path.insert(0, str(folder))
    return "exported_rewards"


@pytest.fixture(scope="session")
def rows():
    """Prompts, completions and answers: what four models said to GSM8K's questions, and attacks on verifiers."""
    found = []
    with open(DATA / "gsm8k/example_model_solutions.jsonl", encoding="utf-8") as lines:
        for problem in map(json.loads, lines):
            answer = problem["ground_truth"].rpartition("A: ")[2]
            found += [(problem["question"], of["solution"], answer) for of in problem.values() if isinstance(of, dict)]
    with open(DATA / "verification/hacking.jsonl", encoding="utf-8") as lines:
        found += [("Which number?", case["response"], case["reference"]) for case in map(json.loads, lines)]
    assert len(found) > 500
    return [list(column) for column in zip(*found)]


def batch(count=12):
    """Prompts, completions and answers; every third is right, and some are odd."""
    prompts, completions, answers = [], [], []
    odd = ["", "42", "ß ∑ 漢字 😀 <solution>7</solution>", "<solution>1</solution><solution>2</solution>", "- 3.50 and -4"]
    for n in range(count):
        prompts.append(f"What is {n} + {n}?")
        answers.append(str(2 * n))
        if n % 3 == 0:
            completions.append(f"{n} + {n} = {2 * n}. <solution>{2 * n}</solution>")
        elif n % 3 == 1:
            completions.append(f"I think it is {2 * n + 1}.\nThe answer is {2 * n + 1}.")
        else:
            completions.append(odd[n // 3 % len(odd)])
    return prompts, completions, answers


def scored_by_the_program(folder, specs, rows):
    """What `score --samples` says of rows, a dict a row."""
    samples = folder / "samples.jsonl"
    lines = [json.dumps({"prompt": p, "completion": c, "answer": a}) for p, c, a in zip(*rows)]
    samples.write_text("\n".join(lines) + "\n")
    done = subprocess.run([PROGRAM, "score", *map(str, specs), "--samples", samples], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def is_alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
