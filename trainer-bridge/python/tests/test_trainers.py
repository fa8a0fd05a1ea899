"""An export in the hands of the trainers themselves: verl's loader, verifiers' `Task.score`, and a GRPO run of TRL's.

`./test-trainers.sh` runs these with everything there; else what is missing is skipped, and says so.
"""

import asyncio
import importlib.util
import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import MEMBERS, batch, scored_by_the_program

TRL = os.environ.get("REWARD_SEARCH_TRL")


def missing(what):
    """Skips a test, unless nothing may be skipped."""
    if os.environ.get("REWARD_SEARCH_REQUIRE_ALL") == "1":
        pytest.fail(f"{what} is not there")
    pytest.skip(f"{what} is not there; ./test-trainers.sh installs it")


@pytest.fixture(scope="module")
def some(rows):
    """500 completions. Those of verifiers' traces have no blanks around them."""
    return [[text.strip() for text in column[:500]] for column in rows]


@pytest.fixture(scope="module")
def expected(folder, exported, some):
    """What the program says of them."""
    return scored_by_the_program(folder, [folder / exported], some)


def test_verl_s_own_loader_finds_compute_score(folder, exported, some, expected):
    there = importlib.util.find_spec("verl")
    if there is None:
        missing("verl's wheel")
    # Its loader alone: the rest of verl wants ray and torch.
    file = Path(there.origin).parent / "utils/import_utils.py"
    spec = importlib.util.spec_from_file_location("verl_import_utils", file)
    loader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loader)
    for path in (f"pkg://{exported}.for_verl", f"{folder / exported / 'for_verl.py'}"):
        compute_score = loader.load_extern_object(path, "compute_score")
        for prompt, completion, answer, line in zip(*some, expected, strict=True):
            score = compute_score(data_source="x", solution_str=completion, ground_truth=answer, extra_info={"question": prompt})
            assert score == {"score": line["score"], "acc": float(line["correct"]), **line["components"]}


def test_verifiers_own_task_scores_a_trace(folder, exported, some, expected):
    if importlib.util.find_spec("verifiers") is None:
        missing("verifiers")
    import verifiers.v1 as vf

    class Data(vf.TaskData):
        answer: str

    class Sums(vf.Task[Data, vf.State, vf.TaskConfig]):
        pass

    manifest = json.loads((folder / exported / "manifest.json").read_text())
    plugged = {
        member["function"]: {"fn": f"{exported}.for_verifiers:{member['function']}", "weight": member["weight"]} for member in manifest["members"]
    }
    config = vf.TaskConfig.model_validate({"rewards": plugged})

    async def score(prompt, completion, answer):
        task = Sums(Data(prompt=prompt, answer=answer), config)
        trace = vf.Trace.model_construct(root_reply=completion, rewards={}, metrics={}, nodes=[], calls=[])
        await task.score(trace)
        return {name: reward.score for name, reward in trace.rewards.items()}, trace.reward

    for row, line in zip(zip(*some), expected, strict=True):
        rewards, total = asyncio.run(score(*row))
        assert rewards == line["components"]
        assert total == pytest.approx(line["score"], rel=1e-15, abs=1e-15)


MODEL = """
import sys
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, set_seed

alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
vocabulary = {token: number for number, token in enumerate(["<pad>", "<eos>", *alphabet])}
tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>").save_pretrained(sys.argv[1])
set_seed(1)
size = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2)
config = LlamaConfig(vocab_size=len(vocabulary), pad_token_id=0, eos_token_id=1, bos_token_id=None, **size)
LlamaForCausalLM(config).save_pretrained(sys.argv[1])
"""

LOGGED = """
import glob, json, sys
import pandas
for file in sorted(glob.glob(sys.argv[1] + "/completions/*.parquet")):
    for record in pandas.read_parquet(file).to_dict("records"):
        print(json.dumps(record))
"""


def test_trl_s_grpo_command_trains_with_them(folder, exported):
    if not TRL:
        missing("an interpreter with TRL in REWARD_SEARCH_TRL")
    # One thread and none of the network.
    environment = {**os.environ, "PYTHONPATH": str(folder), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}

    def run(*arguments):
        done = subprocess.run([TRL, *map(str, arguments)], capture_output=True, text=True, cwd=folder, env=environment, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    run("-c", MODEL, folder / "tiny")
    prompts, _, answers = batch(64)
    (folder / "questions").mkdir()
    lines = [json.dumps({"prompt": prompt, "answer": answer}) for prompt, answer in zip(prompts, answers)]
    (folder / "questions/train.jsonl").write_text("\n".join(lines) + "\n")
    snippet = (folder / exported / "README.md").read_text().partition("trl grpo ")[2].partition("…")[0].replace("\\\n", " ")
    options = "--max_steps 8 --per_device_train_batch_size 64 --num_generations 4 --max_completion_length 24 --report_to none --bf16 false"
    options += " --use_cpu true --log_completions true --logging_steps 1 --save_strategy no --gradient_checkpointing false"
    files = ["--model_name_or_path", folder / "tiny", "--dataset_name", folder / "questions", "--output_dir", folder / "trained"]
    run("-m", "trl.scripts.grpo", *files, *snippet.split(), *options.split())
    logged = [json.loads(line) for line in run("-c", LOGGED, folder / "trained").splitlines()]
    assert len(logged) >= 500
    of = dict(zip(prompts, answers))
    table = [[row["prompt"] for row in logged], [row["completion"] for row in logged], [of[row["prompt"]] for row in logged]]
    for row, line in zip(logged, scored_by_the_program(folder, [folder / exported], table), strict=True):
        # To the last bit of single precision, in which TRL keeps rewards.
        assert {name: row[name] for name in MEMBERS} == {name: struct.unpack("f", struct.pack("f", score))[0] for name, score in line["components"].items()}
