"""Rewards in Python that are exported run as plain Python, and score as in the sandbox: over the files that people write."""

import asyncio
import decimal
import importlib
import json
import logging
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import PROGRAM, export, scored_by_the_program

FIELD = Path(__file__).parents[3] / "orchestrator/tests/fixtures/field"
#: Of exp, log and powers the last bit is the C library's.
CLOSE = {"rel": 4e-16, "abs": 0}


def rows_of(samples):
    with open(FIELD / f"{samples}.jsonl", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def cases():
    every = json.loads((FIELD / "cases.json").read_text())
    return [case for case in every if "refused" not in case]


#: Ask `math_verify`, which only the sandbox answers.
ASKING = ["accuracy_math_verify.py::accuracy_reward", "math_verify_simple.py::math_reward", "math_verify_simple.py::compute_score"]


@pytest.fixture(scope="module")
def packages(folder):
    """Every reward of the table as a package, one a set of samples; by file and function its module and its name there."""
    sys.path.insert(0, str(folder))
    by_samples, found = {}, {}
    for case in cases():
        by_samples.setdefault(case["samples"], []).append(f"{case['file']}::{case['function']}")
    for samples, specs in by_samples.items():
        package = f"field_{samples}"
        export(folder, *(FIELD / "rewards" / spec for spec in specs), "--to", "trl,verl,verifiers", package)
        members = json.loads((folder / package / "manifest.json").read_text())["members"]
        found |= {spec: (package, member["function"]) for spec, member in zip(specs, members, strict=True)}
    return found


def in_the_sandbox(spec, samples):
    command = [PROGRAM, "score", FIELD / "rewards" / spec, "--samples", FIELD / f"{samples}.jsonl"]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=True)
    return [json.loads(line)["score"] for line in done.stdout.splitlines()]


def columns(rows):
    """What TRL passes: every column but the two that are its own, None where a row has none."""
    names = dict.fromkeys(name for row in rows for name in row if name not in ("prompt", "completion"))
    given = {name: [row.get(name) for row in rows] for name in names}
    return {"prompts": [row["prompt"] for row in rows], "completions": [row["completion"] for row in rows], **given}


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case['file']}::{case['function']}")
def test_a_reward_of_the_field_scores_as_in_the_sandbox(packages, case):
    spec, rows = f"{case['file']}::{case['function']}", rows_of(case["samples"])
    package, name = packages[spec]
    module = importlib.import_module(f"{package}.for_trl")
    answers = {"answer", "answers", "solution", "ground_truth", "target", "label"}
    [reward] = [one for one in module.reward_funcs(answer_column=None if answers & set(rows[0]) else "") if one.member == name]
    if spec in ASKING:
        with pytest.raises(Exception, match="asks `math_verify`, which is answered in the sandbox only"):
            reward(**columns(rows), trainer_state=None)
        return
    assert reward(**columns(rows), trainer_state=None) == pytest.approx(in_the_sandbox(spec, case["samples"]), **CLOSE)


def test_verl_s_own_reward_gets_what_verl_passes(packages):
    package, name = packages["verl_countdown.py::compute_score"]
    verl = importlib.import_module(f"{package}.for_verl")
    for row, score in zip(rows_of("countdown_verl"), in_the_sandbox("verl_countdown.py::compute_score", "countdown_verl"), strict=True):
        found = verl.compute_score(row["data_source"], row["completion"], row["ground_truth"], {"index": 1})
        assert (found[name], found["acc"]) == (score, 0.0)


COLUMNS = """
def spread(completions, nums, answer, **kwargs):
    return [sum(n) + 0.5 * ("####" in a) + len(kwargs) / 100 for n, a in zip(nums, answer)]
"""


def test_a_data_set_s_own_columns_come_from_every_trainer(folder, exported):
    (folder / "spread.py").write_text(COLUMNS)
    export(folder, "spread.py", "--to", "trl,verl,verifiers", "spreading")
    # The columns beside prompts, completions, answer (by its five names), correct, extracted and nums.
    trl, verl, verifiers = (importlib.import_module(f"spreading.for_{name}") for name in ("trl", "verl", "verifiers"))
    batch = {"completions": ["It is 4.", "5"], "answer": ["2+2=4\n#### 4", "4"], "nums": [[1, 2], (3, 4)]}
    assert trl.spread(**batch, environments=[object(), object()], log_extra=print) == [3.57, 7.07]
    found = verl.compute_score("x", "It is 4.", "2+2=4\n#### 4", {"nums": [1, 2]})
    assert found == {"score": 3.59, "acc": 1.0, "spread": 3.59}
    task = SimpleNamespace(prompt_text="2+2?", answer="#### 4", nums=[5])
    assert asyncio.run(verifiers.spread(task, SimpleNamespace(last_reply="4"))) == 5.57


FORGETFUL = '''
"""Remembers, draws, changes what belongs to all, and says so."""
import decimal
import logging
import random
import dataclasses

seen = []
logging.basicConfig(level=logging.INFO)

@dataclasses.dataclass
class Mark:
    value: float = 0.0

def forgetful(completions, **kwargs):
    seen.extend(completions)
    decimal.getcontext().prec = 3
    print(len(seen), random.random())
    return [Mark(float(len(text))).value for text in completions]
'''


def test_nothing_is_remembered_and_nothing_of_the_trainer_s_is_touched(folder, exported, capsys):
    (folder / "forgetful.py").write_text(FORGETFUL)
    export(folder, "forgetful.py", "--to", "trl", "forgetting")
    reward = importlib.import_module("forgetting.for_trl").forgetful
    random.seed(7)
    expected, modules = random.Random(7).random(), set(sys.modules)
    capsys.readouterr()
    first = reward(completions=["a", "b"], answer=["1", "1"])
    said = capsys.readouterr().out
    assert said.splitlines()[-1].startswith("2 0.")
    assert first == reward(completions=["a", "b"], answer=["1", "1"]) and capsys.readouterr().out == said
    rows = [["", ""], ["a", "b"], ["1", "1"]]
    assert first == [line["score"] for line in scored_by_the_program(folder, [folder / "forgetting"], rows)]
    assert random.random() == expected
    assert decimal.getcontext().prec == 28
    assert logging.getLogger().level == logging.WARNING
    new = {name.partition(".")[0] for name in set(sys.modules) - modules}
    assert {name for name in new if name not in sys.stdlib_module_names} <= {"forgetting"}
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda _: reward(completions=["a", "b"], answer=["1", "1"]), range(24))) == [first] * 24


def test_a_mistake_of_the_reward_s_names_its_line_and_the_completion(folder, exported):
    (folder / "careless.py").write_text("def careless(completions, **kwargs):\n    return [1 / len(text) for text in completions]\n")
    export(folder, "careless.py", "--to", "trl", "careless_one")
    module = importlib.import_module("careless_one.for_trl")
    with pytest.raises(module.RewardFault, match=r'(?s)reward `careless`, completion 1: .*line 2, in.*ZeroDivisionError') as caught:
        module.careless(completions=["a", ""], answer=["1", "1"])
    assert (caught.value.kind, caught.value.index) == ("exception", 1)
    assert module.reward_funcs(on_fault=None)[0](completions=["a", ""], answer=["1", "1"]) == [1.0, None]
    (folder / "needy.py").write_text("def needy(completions, nums):\n    return [float(n) for n in nums]\n")
    export(folder, "needy.py", "--to", "trl", "needy_one")
    module = importlib.import_module("needy_one.for_trl")
    with pytest.raises(module.RewardFault, match="`needy` needs `nums`, a column that the samples do not have"):
        module.needy(completions=["a"], answer=["1"])


def test_a_reward_may_be_called_as_a_file_of_the_package_is(folder, exported):
    for name in ("sandbox", "columns"):
        (folder / f"{name}.py").write_text(f"def {name}(completions, **kwargs):\n    return [7.0 for _ in completions]\n")
    export(folder, "sandbox.py", "columns.py", "--to", "trl", "named_alike")
    module = importlib.import_module("named_alike.for_trl")
    assert [function(completions=["a"], answer=["1"]) for function in module.REWARD_FUNCS] == [[7.0], [7.0]]
