#!/usr/bin/env python3
"""Rewards with known faults through `reward-search probe`, reward-doctor and rl-envdoctor, in one run: who finds what, and what it costs.

    python3 orchestrator/scripts/audits.py target/release/reward-search [--venv DIR] [--out table.md]

It makes a virtual environment with the pinned packages of audits_requirements.txt, and reads
orchestrator/tests/fixtures/audited: the rewards, and `expected.json`, which says of each reward what names its fault in each tool.
numpy is not installed there: the one reward that returns an array returns a list to the two others.
"""

import argparse
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
AUDITED = HERE.parent / "tests" / "fixtures" / "audited"
MODULES = ("nineteen", "published", "held_out")
SECONDS = 60

TARGETS = '''
import importlib, sys
from envdoctor.targets.function import FunctionTarget
from envdoctor.types import Case

HINTS = {
    "hashes": "End with #### and the answer.", "compute_score": "End with #### and the answer.",
    "boxed_exact": "Give the answer in \\\\boxed{}.", "boxed_any": "Give the answer in \\\\boxed{}.",
    "exact_string": "Give the answer alone.",
    "after_hashes": "End with #### and the answer.", "in_a_box": "Give the answer in \\\\boxed{}.",
}
CASES = [(17, 25), (31, 41), (8, 56), (90, 12), (64, 71), (23, 19), (55, 45), (7, 66), (38, 84), (29, 47)]

def target(module, name):
    function = getattr(importlib.import_module(module), name)
    hint = HINTS.get(name, "Reply inside <answer></answer> tags.")
    cases = [Case(id=str(i), prompt=f"What is {a} + {b}?\\n{hint}", answer=str(a + b)) for i, (a, b) in enumerate(CASES)]
    def reward(completion, answer, prompt):
        if name == "compute_score":
            return function("sums", completion, answer, None)
        given = [{"role": "assistant", "content": completion}] if name == "chat_correctness" else completion
        return function(prompts=[prompt], completions=[given], answer=[answer])[0]
    return FunctionTarget(reward, cases, name=name)

def __getattr__(attribute):
    module, _, name = attribute.partition("__")
    return target(module, name) if name else None
'''


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("program", type=pathlib.Path)
    arguments.add_argument("--venv", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "reward-search-audits")
    arguments.add_argument("--out", type=pathlib.Path)
    arguments = arguments.parse_args()
    venv = prepared(arguments.venv)
    expected = json.loads((AUDITED / "expected.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for module in MODULES:
            text = (AUDITED / f"{module}.py").read_text()
            text = text.replace("import numpy as np\n", "").replace("np.array(", "list(")
            (folder / f"{module}.py").write_text(text)
        (folder / "targets.py").write_text(TARGETS)
        tools = lambda modules: {  # noqa: E731
            "reward-search": Ours(arguments.program.resolve(), folder, modules),
            "reward-doctor": Doctor(venv, folder),
            "rl-envdoctor": EnvDoctor(venv, folder),
        }
        known = rows(expected["rewards"], expected["false_alarms"], tools(MODULES[:2]))
        table = known + "\n\nHeld out:\n\n" + rows(expected["held_out"], expected["false_alarms"], tools(MODULES[2:]))
    print(table)
    if arguments.out:
        arguments.out.write_text(table + "\n")


def prepared(venv):
    """The virtual environment, made where it is not there."""
    if not (venv / "bin" / "envdoctor").exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        requirements = HERE / "audits_requirements.txt"
        subprocess.run([venv / "bin" / "pip", "install", "--quiet", "-r", requirements], check=True)
    return venv.resolve()


class Tool:
    """A tool: runs on one reward, and names what it found."""

    seconds = 0.0

    def run(self, command, folder, seconds=SECONDS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        try:
            environment = os.environ | {"PYTHONPATH": str(folder)}
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds, env=environment)
            said = done.stdout
        except subprocess.TimeoutExpired:
            said = None
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.seconds += after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return said


class Ours(Tool):
    def __init__(self, program, folder, modules):
        self.found = {}
        for module in modules:
            said = self.run([program, "probe", AUDITED / f"{module}.py", "--format", "json"], folder, 20 * SECONDS)
            for reward in json.loads(said):
                self.found[reward["reward"]] = [
                    f"{finding['rule']}{':' + finding['about'] if finding.get('about') else ''}"
                    for finding in reward["findings"]
                    if finding["severity"] != "note"
                ]

    def of(self, module, name):
        return self.found.get(name, ["missing"])


class Doctor(Tool):
    def __init__(self, venv, folder):
        self.program, self.folder = venv / "bin" / "reward-doctor", folder

    def of(self, module, name):
        said = self.run([self.program, "audit", f"{module}.py:{name}", "-f", "json"], self.folder)
        if said is None:
            return ["hangs"]
        report = json.loads(said)
        found = [f"exploit:{attack}" for attack in report["attacks_that_work"]]
        errors = sum("error" in (failure["mode"] or "error") for failure in report["failures"])
        if errors:
            found.append(f"errors:{errors}")
        wrong, right = report["false_positive_rate"], report["false_negative_rate"]
        if wrong:
            found.append(f"FP {100 * wrong:.0f} %")
        if right:
            found.append(f"FN {100 * right:.0f} %")
        return found


class EnvDoctor(Tool):
    def __init__(self, venv, folder):
        self.program, self.folder = venv / "bin" / "envdoctor", folder

    def of(self, module, name):
        command = [self.program, "scan", f"targets::{module}__{name}", "--n", "10", "--format", "json", "--fail-on", "never"]
        said = self.run(command, self.folder)
        if said is None:
            return ["hangs"]
        if not said.startswith("{"):
            return ["no report"]
        report = json.loads(said)
        kept = [f for f in report["findings"] if f["severity"] in ("critical", "high", "medium") or f["check"] == "baseline_sanity"]
        return sorted({finding["check"] for finding in kept})


def mark(found, wanted, is_healthy):
    """What a tool is worth on one reward: it names the fault, shows a sign of it, says nothing, or raises a false alarm."""
    named = any(re.match(pattern, one) for pattern in wanted.get("named", []) for one in found)
    sign = any(re.match(pattern, one) for pattern in wanted.get("sign", []) for one in found)
    if is_healthy:
        return "✗" if named else "ok"
    return "●" if named else "○" if sign else "–"


def rows(rewards, false_alarms, tools):
    lines = ["| reward | " + " | ".join(tools) + " |", "| --- |" + " --- |" * len(tools)]
    tally = {tool: {"●": 0, "○": 0, "–": 0, "✗": 0, "ok": 0} for tool in tools}
    faulty = 0
    for reward, wanted in rewards.items():
        is_healthy = wanted.get("healthy", False)
        faulty += not is_healthy
        cells = []
        for tool, runner in tools.items():
            found = runner.of(wanted["module"], reward if tool == "reward-search" else wanted.get("function", reward))
            rules = false_alarms[tool] if is_healthy else wanted[tool]
            sign = mark(found, rules, is_healthy)
            tally[tool][sign] += 1
            shown = ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")
            cells.append(f"{sign} {shown}".strip())
        lines.append(f"| {reward}{' (healthy)' if is_healthy else ''} | " + " | ".join(cells) + " |")
    healthy = len(rewards) - faulty
    totals = [
        f"{t['●']} named, {t['○']} signs of {faulty}; {t['✗']} false alarms of {healthy}; {tools[tool].seconds:.1f} s of processor"
        for tool, t in tally.items()
    ]
    lines.append("| **in all** | " + " | ".join(totals) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
