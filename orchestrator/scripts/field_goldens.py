"""What CPython says of the rewards in tests/fixtures/field: writes goldens.json there.

Each file is run as its author would run it, with mocks for the libraries that only the training needs, and each function is called
as its framework calls it. Needs numpy and math-verify (field_goldens_requirements.txt); torch is replaced by numpy's float32.

usage: field_goldens.py FOLDER
"""

import asyncio
import contextlib
import functools
import io
import json
import os
import sys
import tempfile
import types
from pathlib import Path
from unittest.mock import MagicMock

import math_verify  # noqa: F401
import numpy

MOCKED = (
    "datasets transformers trl unsloth torch.distributed vllm wandb tqdm ray nemo_rl nemo_rl.environments "
    "nemo_rl.environments.interfaces matplotlib matplotlib.pyplot pandas IPython IPython.display google google.colab "
    "sentence_transformers openai sympy sqlparse jieba_absent"
).split()


class Any:
    """A base class of some framework."""

    def __init_subclass__(cls, **_):
        pass

    def __init__(self, *_, **__):
        pass


class Tensor(numpy.ndarray):
    """As much of torch.Tensor as the rewards here use."""

    def backward(self):
        pass


def tensor(data, dtype=None, **_):
    array = numpy.array(data)
    if dtype is not None or array.dtype.kind == "f":
        array = array.astype(numpy.float32)
    return array.view(Tensor)


def modules():
    """Stand-ins for what is not installed."""
    torch = MagicMock(name="torch")
    torch.tensor, torch.Tensor, torch.float32 = tensor, Tensor, numpy.float32
    torch.no_grad = lambda: lambda function: function
    torch.clamp = lambda x, min, max: numpy.clip(x, numpy.float32(min), numpy.float32(max))
    swift = types.SimpleNamespace(ORM=Any, orms={}, get_logger=MagicMock())
    vf = MagicMock(name="verifiers")
    vf.Task, vf.reward = Any, lambda **_: lambda function: function
    nemo = MagicMock(name="nemo")
    nemo.EnvironmentInterface = Any
    trl = MagicMock(name="trl")
    trl.ScriptArguments = Any
    mocks = {name: MagicMock(name=name) for name in MOCKED}
    mocks |= {"torch": torch, "torch.nn": torch.nn, "torch.nn.functional": torch.nn.functional, "trl": trl}
    mocks |= dict.fromkeys(("swift", "swift.plugin", "swift.rewards", "swift.utils"), swift)
    mocks |= {"verifiers": vf, "verifiers.v1": vf, "nemo_rl.environments.interfaces": nemo}
    mocks["unsloth"].FastLanguageModel.from_pretrained.return_value = (MagicMock(), MagicMock())
    return mocks


def source(path):
    if path.suffix == ".py":
        return path.read_text(encoding="utf-8-sig")
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    lines = [line.rstrip("\n") for cell in cells for line in cell["source"]]
    return "\n".join("" if line.startswith(("%", "!")) else line for line in lines)


def namespace(path):
    found = {"__name__": "a_reward", "__file__": str(path)}
    argv, sys.argv = sys.argv, ["train", "--model", "m"]
    try:
        exec(compile(source(path), path.name, "exec"), found)
    except (SystemExit, AssertionError):
        pass  # Behind the rewards: what a script does at its end.
    finally:
        sys.argv = argv
    return found


def chat(rows):
    return [[{"role": "user", "content": r["prompt"]}] for r in rows], [[{"role": "assistant", "content": r["completion"]}] for r in rows]


def truth(row):
    return next((row[n] for n in ("answer", "solution", "ground_truth", "target", "label") if n in row), None)


def trl(function, rows, messages=False):
    prompts, completions = chat(rows) if messages else ([r["prompt"] for r in rows], [r["completion"] for r in rows])
    columns = {name: [r[name] for r in rows] for name in rows[0] if name not in ("prompt", "completion")}
    if "answer" in columns:
        columns.setdefault("solution", columns["answer"])
    return function(prompts=prompts, completions=completions, **columns)


def verl(function, row):
    return function(data_source=row.get("data_source"), solution_str=row["completion"], ground_truth=truth(row), extra_info=row.get("extra_info"))


def openrlhf(function, rows):
    prompts = [r["prompt"] for r in rows]
    result = function([r["prompt"] + r["completion"] for r in rows], prompts, [truth(r) for r in rows])
    return result["rewards"] if isinstance(result, dict) else result


def v0(function, row):
    prompts, completions = chat([row])
    wanted = function.__code__.co_varnames[: function.__code__.co_argcount]
    given = {"prompt": prompts[0], "completion": completions[0], "answer": row["answer"], "state": {}}
    return function(**{name: value for name, value in given.items() if name in wanted})


def v1(function, row):
    trace = types.SimpleNamespace(last_reply=row["completion"])
    given = {"task": types.SimpleNamespace(answer=row["answer"], prompt_text=row["prompt"]), "trace": trace}
    wanted = function.__code__.co_varnames[: function.__code__.co_argcount]
    return function(**{name: given[name] for name in wanted})


CALLS = {
    "trl": trl,
    "chat": functools.partial(trl, messages=True),
    "verl": lambda f, rows: [verl(f, r) for r in rows],
    "verl_short": lambda f, rows: [f(r["completion"], truth(r)) for r in rows],
    "verl_batch": lambda f, rows: f(
        data_sources=[r.get("data_source") for r in rows],
        solution_strs=[r["completion"] for r in rows],
        ground_truths=[truth(r) for r in rows],
        extra_infos=[r.get("extra_info") for r in rows],
    ),
    "easyr1": lambda f, rows: [s["overall"] for s in f([{"response": r["completion"], "ground_truth": truth(r)} for r in rows])],
    "openrlhf": openrlhf,
    "v0": lambda f, rows: [v0(f, r) for r in rows],
    "v1": lambda f, rows: [v1(f, r) for r in rows],
    "pair": lambda f, rows: [f(r["completion"], truth(r)) for r in rows],
    "lists": lambda f, rows: f([r["completion"] for r in rows], [truth(r) for r in rows]),
    "nemo": lambda f, rows: f([r["prompt"] for r in rows], [r["completion"] for r in rows], [truth(r) for r in rows]),
}


async def awaited(value):
    return await value


def plain(value):
    """The number that a framework makes of a score."""
    if asyncio.iscoroutine(value):
        value = asyncio.run(awaited(value))
    if isinstance(value, dict):
        value = value["score"]
    return 0.0 if value is None else float(value)


def scores(folder, case):
    path = folder / "rewards" / case["file"]
    rows = [json.loads(line) for line in (folder / f"{case['samples']}.jsonl").read_text().splitlines()]
    function = eval(case["function"], namespace(path))
    if isinstance(function, type):
        function = function()
    result = CALLS[case["call"]](function, rows)
    if asyncio.iscoroutine(result):
        result = asyncio.run(awaited(result))
    if isinstance(result, dict):
        return [sum(parts) for parts in zip(*result.values())]
    return [plain(value) for value in result]


def main(folder):
    folder = Path(folder).resolve()
    cases = json.loads((folder / "cases.json").read_text())
    sys.modules.update({name: mock for name, mock in modules().items() if name not in sys.modules})
    goldens = {}
    with tempfile.TemporaryDirectory() as away:
        os.chdir(away)
        for case in cases:
            if "refused" in case:
                continue
            name = f"{case['file']}::{case['function']}"
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                goldens[name] = scores(folder, case)
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(found)}" for name, found in goldens.items())
    (folder / "goldens.json").write_text("{\n" + lines + "\n}\n")
    print(len(goldens), "functions of", len({case["file"] for case in cases}), "files")


if __name__ == "__main__":
    main(sys.argv[1])
