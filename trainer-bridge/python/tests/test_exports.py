"""`export --to`: a folder that scores as the search does, without the program."""

import asyncio
import importlib
import json
import math
import os
import pickle
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from types import SimpleNamespace

import pytest
from conftest import MEMBERS, PROGRAM, export, scored_by_the_program


@pytest.fixture(scope="module")
def trl(exported):
    return importlib.import_module(f"{exported}.for_trl")


@pytest.fixture(scope="module")
def verl(exported):
    return importlib.import_module(f"{exported}.for_verl")


@pytest.fixture(scope="module")
def expected(folder, exported, rows):
    """What the program says of them."""
    return scored_by_the_program(folder, [folder / exported], rows)


def columns(rows):
    return dict(zip(("prompts", "completions", "answer"), rows))


def test_scores_for_trl_are_the_program_s_to_the_last_bit(trl, rows, expected):
    assert [function.__name__ for function in trl.REWARD_FUNCS] == MEMBERS
    assert trl.CONFIG == {"reward_weights": [1.0, 0.5, -2.0, 0.1], "multi_objective_aggregation": "sum_then_normalize"}
    for function in trl.REWARD_FUNCS:
        scores = function(**columns(rows), completion_ids=[[1]] * len(expected), trainer_state=None)
        assert scores == [line["components"][function.__name__] for line in expected], function.__name__
        assert len(set(scores)) > 3
    assert trl.combined(**columns(rows)) == [line["score"] for line in expected]
    assert sum(line["correct"] for line in expected) > 50


def test_scores_for_verl_are_the_program_s_too(verl, rows, expected):
    def one(row):
        prompt, completion, answer = row
        return verl.compute_score("gsm8k", completion, answer, {"question": prompt, "index": 1}, reward_router_address=None)

    with ThreadPoolExecutor(8) as threads:
        scores = list(threads.map(one, zip(*rows)))
    for score, line in zip(scores, expected, strict=True):
        assert list(score) == ["score", "acc", *MEMBERS]
        assert score == {"score": line["score"], "acc": float(line["correct"]), **line["components"]}


def test_plain_python_differs_by_the_c_library_s_last_bit_at_most(folder, exported, rows):
    export(folder, "shape.py::brevity", "--to", "trl", "with_exp")
    scores = importlib.import_module("with_exp.for_trl").brevity(**columns(rows))
    theirs = [line["score"] for line in scored_by_the_program(folder, [folder / "with_exp"], rows)]
    assert all(abs(ours - score) <= math.ulp(score) for ours, score in zip(scores, theirs, strict=True))


def test_a_file_named_by_its_path_works_as_well(folder, exported):
    # As trainers load it: no package around it, and not on the path.
    script = f"""
import importlib.util
spec = importlib.util.spec_from_file_location("custom_module", {str(folder / exported / "for_verl.py")!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(module.compute_score(data_source="x", solution_str="It is 4.", ground_truth="4", extra_info={{}})["mine"])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd="/")
    assert done.stdout == "1.0\n", done.stderr


def test_scores_for_verifiers_are_the_program_s_too(exported, rows, expected):
    module = importlib.import_module(f"{exported}.for_verifiers")

    async def all_of(name):
        async def one(prompt, completion, answer):
            return await getattr(module, name)(SimpleNamespace(prompt_text=prompt, answer=answer), SimpleNamespace(last_reply=completion))

        return await asyncio.gather(*(one(*row) for row in list(zip(*rows))[:120]))

    for name in MEMBERS:
        assert asyncio.run(all_of(name)) == [line["components"][name] for line in expected[:120]]
    with pytest.raises(ValueError, match="none of the fields answer, solution"):
        asyncio.run(module.mine(SimpleNamespace(prompt_text="", gold="4"), SimpleNamespace(last_reply="4")))


def test_eight_threads_get_the_same_scores(trl, rows, expected):
    def one(n):
        function, part = trl.REWARD_FUNCS[n % 4], slice(n * 20, n * 20 + 20)
        return function(**{name: column[part] for name, column in columns(rows).items()})

    with ThreadPoolExecutor(8) as threads:
        for n, scores in enumerate(threads.map(one, range(24))):
            assert scores == [line["components"][MEMBERS[n % 4]] for line in expected[n * 20 : n * 20 + 20]]


def call(function):
    return function(completions=["It is 4.", "<solution>5</solution>"], answer=["4", "4"], prompts=["2+2?"] * 2)


def test_functions_pickle_into_other_processes(trl):
    functions = [*trl.reward_funcs(on_fault=-1.0), trl.combined]
    there = [call(function) for function in functions]
    copies = pickle.loads(pickle.dumps(functions))
    assert [copy.__name__ for copy in copies] == [*MEMBERS, "combined"]
    for method in ("fork", "spawn"):
        with ProcessPoolExecutor(2, mp_context=get_context(method)) as workers:
            assert list(workers.map(call, copies)) == there, method


def test_a_fork_in_the_middle_of_a_verdict_can_score(trl, exported):
    expected = call(trl.mine)
    export = importlib.import_module(f"{exported}.scoring").load()
    with export._lock.held():
        child = os.fork()
        if child == 0:
            os._exit(0 if call(trl.mine) == expected else 1)
        deadline = time.monotonic() + 60
        while (done := os.waitpid(child, os.WNOHANG)) == (0, 0):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert done[1] == 0


def test_conversations_and_rows_that_abstain(trl):
    talk = {
        "prompts": [[{"role": "user", "content": "2+2?"}]] * 3,
        "completions": [[{"role": "assistant", "content": "It is 4."}], [{"role": "assistant", "content": "5"}], None],
        "solution": [4, None, "4"],
    }
    for function in trl.REWARD_FUNCS:
        [alone] = function(prompts=["2+2?"], completions=["It is 4."], answer=["4"])
        assert function(**talk) == [alone, None, None]
    assert trl.combined(**talk)[1:] == [None, None]
    assert trl.mine(completions=[], answer=[]) == []
    with pytest.raises(ValueError, match="no column of reference answers"):
        trl.mine(completions=["4"], gold=["4"])
    with pytest.raises(ValueError, match="2 completions and 1 in the column `answer`"):
        trl.mine(completions=["1", "2"], answer=["1"])


def test_faults_are_raised_or_worth_what_was_said(folder, exported):
    export(folder, "trap.rs", "--to", "trl,verl", "trapped")
    module, verl = importlib.import_module("trapped.for_trl"), importlib.import_module("trapped.for_verl")
    batch = {"completions": ["a", "loop", "b", "infinite", "c"], "answer": ["1"] * 5}
    with pytest.raises(Exception, match="reward `trap`, completion 1: out of fuel") as caught:
        module.trap(**batch)
    assert (caught.value.kind, caught.value.index, caught.value.member) == ("out_of_fuel", 1, "trap")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.kind, str(copy)) == ("out_of_fuel", str(caught.value))
    for policy in (None, -2.5):
        assert module.reward_funcs(on_fault=policy)[0](**batch) == [1.0, policy, 1.0, policy, 1.0]
    with pytest.raises(Exception, match="not a finite number"):
        verl.compute_score("x", "infinite", "1")
    assert verl.compute_score("x", "infinite", "1", on_fault=-3)["score"] == -3.0
    with pytest.raises(ValueError, match="must be \"raise\" or a number"):
        verl.compute_score("x", "4", "1", on_fault=None)


def test_groups_go_to_trl_alone(folder, exported):
    said = export(folder, "group.rs", "--to", "verl", "groups", code=2)
    assert "`group` scores the completions of a prompt together, and verl calls" in said
    export(folder, "group.rs", "--to", "trl", "groups")
    batch = [["p", "p", "q"], ["a", "bb", "ccc"], ["1", "1", "1"]]
    scores = importlib.import_module("groups.for_trl").group(**columns(batch))
    assert scores == [line["score"] for line in scored_by_the_program(folder, [folder / "groups"], batch)]


def test_a_reward_that_reads_the_prompt_says_so(folder, exported):
    (folder / "asked.py").write_text("def asked(prompts, completions, **kwargs):\n    return [float(p in c) for p, c in zip(prompts, completions)]\n")
    export(folder, "asked.py", "--to", "trl,verl", "asking")
    verl = importlib.import_module("asking.for_verl")
    with pytest.raises(ValueError, match="put it into the data's extra_info as prompt or question"):
        verl.compute_score("x", "hello you", "1", {})
    assert verl.compute_score("x", "hello you", "1", {"prompt": [{"role": "user", "content": "you"}]})["score"] == 1.0
    assert verl.compute_score("x", "hello you", "1", {"q": "me"}, prompt_key="q")["score"] == 0.0
    with pytest.raises(ValueError, match="call them with prompts="):
        importlib.import_module("asking.for_trl").asked(completions=["a"], answer=["1"])
    (folder / "pairs.py").write_text("def pair(question, response, answer):\n    return float(question in response)\n")
    (folder / "verls.py").write_text("# No prompt here.\ndef compute_score(solution_str, ground_truth):\n    return float(len(solution_str))\n")
    export(folder, "pairs.py", "verls.py", "--to", "verl", "asking_both")
    members = json.loads((folder / "asking_both/manifest.json").read_text())["members"]
    assert [member["reads_prompt"] for member in members] == [True, False]
    verl = importlib.import_module("asking_both.for_verl")
    assert verl.compute_score("x", "hello you", "1", {"question": "you"})["pair"] == 1.0


def test_what_is_not_what_was_exported_is_refused(folder, exported):
    export(folder, "mine.rs", "--to", "trl", "tampered")
    with open(folder / "tampered/mine.wasm", "ab") as file:
        file.write(b"\0")
    module = importlib.import_module("tampered.for_trl")
    with pytest.raises(ImportError, match="mine.wasm is not what was exported"):
        module.mine(completions=["4"], answer=["4"])
    said = subprocess.run([PROGRAM, "import", folder / "tampered"], capture_output=True, text=True, check=False)
    assert said.returncode == 2
    assert "SHA-256" in said.stderr


def test_an_export_comes_back_as_seeds(folder, exported):
    said = subprocess.run([PROGRAM, "import", folder / exported], capture_output=True, text=True, check=True).stdout
    manifest = json.loads((folder / exported / "manifest.json").read_text())
    for member in manifest["members"]:
        assert f"{member['name']}  sha-256 {member['wasm_sha256']}  the same bytes as were screened" in said
    assert f'seed_rewards = ["{folder / exported}"]' in said


def test_no_name_but_a_python_name_will_do(folder):
    said = export(folder, "mine.rs", "--to", "trl", "my-rewards", code=2)
    assert "call it for instance `my_rewards`" in said


def test_it_needs_nothing_but_wasmtime(exported, folder):
    lines = [line for path in (folder / exported).glob("*.py") for line in path.read_text().splitlines()]
    names = {line.partition(" import")[0].split()[1].partition(".")[0] for line in lines if line.startswith(("import ", "from "))}
    ours = {"", "wasmtime"}
    assert {name for name in names if name not in sys.stdlib_module_names} <= ours, names
