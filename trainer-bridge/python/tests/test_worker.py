"""The worker without TRL: what it tells TRL, its lines, its checkpoints, and how it ends. What needs torch is in scripts/trl_search.py."""

import dataclasses
import importlib
import json
import os
import signal
import subprocess
import sys
import time
import tomllib
import types
from pathlib import Path

import pytest

from reward_search.errors import HostTrouble, RewardFault, ServerNotStarted
from reward_search.worker import checkpoint, faults, spec
from reward_search.worker.__main__ import rendezvous
from reward_search.worker.metrics import moments

PACKAGE = Path(__file__).parents[1]
GRPO = dict(
    prompts_per_step=16, num_generations=8, max_completion_length=64, temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, learning_rate=2e-4,
    warmup_steps=5, adam_beta1=0.9, adam_beta2=0.95, weight_decay=0.0, max_grad_norm=1.0, loss_type="dapo", beta=0.0,
    use_bias_correction_kl=True, epsilon=0.2, importance_sampling_level="token", scale_rewards="group", filter="none",
    mask_truncated_completions=False, steps_per_generation=1, num_iterations=1, sync_every=1,
)  # fmt: skip
SETTINGS = dict(model="m", name="toy", device="cpu", dtype="f32", micro_batch=16, gradient_checkpointing=False, use_vllm=False)


def run_of(until_step=10, save_every=None, done=0, **grpo):
    job = {
        "mix": {"members": [{"name": "a", "weight": 1.0}, {"name": "b", "weight": 0.5}], "aggregation": "normalize_then_sum"},
        "grpo": {**GRPO, **grpo}, "examples": [{"prompt": "p"}] * 20, "eval_prompts": [], "seed": 7, "until_step": until_step,
        "save_every": save_every, "from": {"step": done, "at": {"folder": "x"}} if done else None,
    }  # fmt: skip
    return spec.Spec("job.json", job, "work", "program", SETTINGS, [1e-4] * until_step, None)


def test_every_field_is_mapped():
    told = spec.trl_settings(run_of(steps_per_generation=2, num_iterations=3, beta=0.04, min_p=0.1, epsilon_high=0.28, sync_every=6))
    assert told["per_device_train_batch_size"] * told["gradient_accumulation_steps"] == 16 * 8
    assert told["steps_per_generation"] == 2 * told["gradient_accumulation_steps"]
    assert (told["num_iterations"], told["beta"], told["min_p"], told["epsilon_high"]) == (3, 0.04, 0.1, 0.28)
    assert (told["reward_weights"], told["multi_objective_aggregation"]) == ([1.0, 0.5], "normalize_then_sum")
    assert not told["shuffle_dataset"] and told["max_steps"] == 10
    plain = spec.trl_settings(run_of())
    assert plain["min_p"] is None and plain["epsilon_high"] is None and plain["use_bias_correction_kl"] is True


@pytest.mark.parametrize("grpo", [dict(new_field=1), dict(filter="raft"), dict(sync_every=2), dict(loss_type="bnpo")])
def test_what_cannot_be_honoured_is_refused(grpo):
    with pytest.raises(faults.SetupError, match=next(iter(grpo))):
        spec.trl_settings(run_of(**grpo))


def test_bnpo_goes_where_a_step_is_one_micro_batch():
    assert spec.trl_settings(run_of(loss_type="bnpo", prompts_per_step=2))["gradient_accumulation_steps"] == 1


def test_micro_batches_part_a_step_evenly():
    assert [spec.micro_batch(rows, 16) for rows in (128, 12, 17, 34)] == [16, 12, 1, 2]


def test_greedy_evaluation_has_no_settings_of_draws():
    evaluation = dict(temperature=0.0, top_k=0, top_p=1.0, min_p=0.0, max_completion_length=64)
    assert spec.sampling_settings(evaluation) == {"max_new_tokens": 64, "repetition_penalty": 1.0, "num_beams": 1, "do_sample": False}
    drawn = spec.sampling_settings({**evaluation, "temperature": 0.7})
    assert drawn["do_sample"] and drawn["temperature"] == 0.7 and drawn["top_k"] == 0
    with pytest.raises(faults.SetupError, match="typical_p"):
        spec.sampling_settings({**evaluation, "typical_p": 1.0})


def test_prompts_come_in_the_jobs_order_and_wrap_around():
    assert run_of(until_step=2).prompts() == [place % 20 for place in range(32)]
    assert len(run_of(until_step=3, steps_per_generation=2).prompts()) == 64, "whole batches"


def test_checkpoints_wait_for_the_end_of_a_batch():
    saved = [step for step in range(1, 11) if run_of(save_every=4).saves_after(step)]
    assert saved == [4, 8, 10]
    saved = [step for step in range(1, 11) if run_of(save_every=4, steps_per_generation=3).saves_after(step)]
    assert saved == [6, 9, 10]


def test_noise_depends_on_the_step_and_not_on_the_rewards():
    run = run_of()
    assert run.seed("train", 1) == run_of(beta=0.1).seed("train", 1)
    assert len({run.seed("train", 1), run.seed("train", 2), run.seed("evaluate", 1)}) == 3


def test_a_state_is_one_file_that_goes_there_and_back(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    for name in ("adapter_model.safetensors", "trainer_state.json", "training_args.bin", "rng_state.pth"):
        (state / name).write_text(name)
    checkpoint.pack(str(state), str(tmp_path / "c.tar"), 3)
    assert checkpoint.unpack(str(tmp_path / "c.tar"), str(tmp_path / "back")) == 3
    assert {path.name for path in (tmp_path / "back").iterdir()} == {"adapter_model.safetensors", "trainer_state.json", "reward-search.json"}
    assert not checkpoint.export(str(tmp_path / "c.tar"), str(tmp_path / "model")), "an adapter is no model"
    (state / "adapter_model.safetensors").rename(state / "model.safetensors")
    checkpoint.pack(str(state), str(tmp_path / "c.tar"), 3)
    assert checkpoint.export(str(tmp_path / "c.tar"), str(tmp_path / "model"))
    assert {path.name for path in (tmp_path / "model").iterdir()} == {"model.safetensors"}
    (tmp_path / "other").write_bytes(b"safetensors, or what")
    with pytest.raises(ValueError, match="not one of this trainer's"):
        checkpoint.unpack(str(tmp_path / "other"), str(tmp_path / "none"))


def test_trouble_is_told_apart():
    kind = lambda error: faults.told(error, 4)["kind"]  # noqa: E731
    assert kind(RewardFault("sample 2: trap", "trap", "a", 2)) == "reward"
    assert faults.told(RewardFault("m", "trap", "a", 2), 4)["fault"] == {"kind": "trap", "index": 2, "message": "m"}
    assert kind(RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")) == "out_of_memory"
    assert kind(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")) == "out_of_memory"
    assert kind(ValueError("Free memory on device cuda:0 (3/79 GiB) on startup is less than desired GPU memory utilization (0.3, 24 GiB).")) == "out_of_memory"
    assert kind(MemoryError()) == "out_of_memory"
    assert kind(RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")) == "non_finite"
    assert kind(faults.NonFinite("loss")) == "non_finite"
    assert kind(faults.CudaMissing("no")) == "cuda_missing"
    assert kind(HostTrouble("down")) == "host"
    assert (kind(ServerNotStarted("bad reward", 2)), kind(ServerNotStarted("no disk", 1))) == ("setup", "host")
    assert kind(KeyError("x")) == "unknown"


def model_module(monkeypatch, cuda, free=80 << 30, finds=True):
    """The worker's `model` over a torch that is none: it says that it was built for `cuda`, and what a GPU has free."""
    torch = types.SimpleNamespace(
        __version__="2.15.0", float32="f32", bfloat16="bf16", version=types.SimpleNamespace(cuda=cuda),
        cuda=types.SimpleNamespace(is_available=lambda: finds, mem_get_info=lambda: (free, 80 << 30)),
    )  # fmt: skip
    names = ("AutoModelForCausalLM", "AutoTokenizer", "GenerationConfig", "PreTrainedTokenizerFast")
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "transformers", types.SimpleNamespace(**dict.fromkeys(names)))
    monkeypatch.delitem(sys.modules, "reward_search.worker.model", raising=False)
    module = importlib.import_module("reward_search.worker.model")
    monkeypatch.delitem(sys.modules, "reward_search.worker.model")
    return module


def test_a_gpu_that_is_not_there_is_told_from_one_that_is_full(monkeypatch, tmp_path):
    (tmp_path / "config.json").write_text('{"dtype": "bfloat16"}')
    (tmp_path / "model.safetensors").write_bytes(b"\0" * 4096)
    settings = {**SETTINGS, "device": "cuda", "number": 5, "model": str(tmp_path), "dtype": "bf16"}
    spec_of = lambda **more: dataclasses.replace(run_of(), settings={**settings, **more})  # noqa: E731
    kind = lambda error: faults.told(error.value, 1)["kind"]  # noqa: E731
    with pytest.raises(faults.CudaMissing, match="built without CUDA: install the CUDA build") as error:
        model_module(monkeypatch, cuda=None, finds=False).check_device(spec_of())
    assert kind(error) == "cuda_missing"
    with pytest.raises(faults.CudaMissing, match="finds no GPU .it was built for CUDA 13.0.*nvidia-smi"):
        model_module(monkeypatch, cuda="13.0", finds=False).check_device(spec_of())
    # Weights of 16 bits: kept so with an adapter, as 32 bits where they are trained themselves.
    lora = dict(r=8)
    model_module(monkeypatch, cuda="13.0", free=4096).check_device(spec_of(lora=lora))
    for free, more in ((4095, dict(lora=lora)), (8191, {})):
        with pytest.raises(faults.NotEnoughMemory, match="GPU 5 has 0.0 of 80.0 GiB free.*something else runs there") as error:
            model_module(monkeypatch, cuda="13.0", free=free).check_device(spec_of(**more))
        assert kind(error) == "out_of_memory"
    model_module(monkeypatch, cuda=None, finds=False).check_device(spec_of(device="cpu"))


def test_runs_that_begin_together_meet_their_parts_at_ports_of_their_own():
    meetings = [rendezvous() for _ in range(4)]
    ports = {int(meeting["MASTER_PORT"]) for meeting in meetings}
    # The ones that TRL tries first.
    assert len(ports) == 4 and not ports & {29500, 23456, 12355, 12345}
    assert all(meeting["MASTER_ADDR"] == "127.0.0.1" for meeting in meetings)


def test_moments_are_unbiased():
    assert moments([1.0, 2.0, 3.0]) == (2.0, 1.0)
    assert moments([0.1] * 7) == (0.1, 0.0)


def test_the_extra_has_the_workers_versions():
    worker = (PACKAGE / "src/reward_search/worker/requirements.txt").read_text().splitlines()
    extra = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]["optional-dependencies"]["trl"]
    assert sorted(extra) == sorted(line for line in worker if line and not line.startswith("#"))


# What a worker does before it imports anything, and then something that lasts.
LASTING = """
import os, subprocess, sys, time
from reward_search.worker.channel import Channel
channel = Channel()
channel.tell("hello", protocol=1)
start = channel.start()
print("a library's remark")
os.write(1, b"another one\\n")
child = subprocess.Popen(["sleep", "300"])
channel.tell("phase", what=child.pid, loss=float("nan"), text="\\ud800 \\u00e9")
while not channel.stopped:
    time.sleep(0.01)
channel.tell("stopped")
child.kill()
"""


@pytest.fixture
def worker(tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", LASTING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(PACKAGE / "src")},
    )  # fmt: skip
    assert json.loads(process.stdout.readline()) == {"t": "hello", "protocol": 1}
    process.stdin.write(json.dumps({"t": "start", "work": str(work)}).encode() + b"\n")
    process.stdin.flush()
    phase = json.loads(process.stdout.readline())
    assert (phase["t"], phase["loss"], phase["text"]) == ("phase", None, "? é"), "what was printed is not on this side"
    yield process, phase["what"], work
    process.kill()
    process.communicate()


def is_gone(pid):
    for _ in range(200):
        try:
            if Path(f"/proc/{pid}/stat").read_text().split(") ")[1].startswith("Z"):
                return True
        except OSError:
            return True
        time.sleep(0.01)
    return False


def test_the_end_of_its_input_is_the_end_of_a_worker_and_of_what_it_started(worker):
    process, child, work = worker
    process.stdin.close()
    assert process.wait(5) == -signal.SIGKILL, "it ends its group, itself included"
    assert is_gone(child) and not work.exists()
    process.stdin = None


@pytest.mark.parametrize("how", ["line", "signal"])
def test_a_worker_that_is_asked_to_stop_says_when_it_has(worker, how):
    process, _, work = worker
    if how == "line":
        process.stdin.write(b'{"t":"stop"}\n')
        process.stdin.flush()
    else:
        process.send_signal(signal.SIGTERM)
    assert json.loads(process.stdout.readline()) == {"t": "stopped"}
    assert process.wait(5) == 0 and work.exists()
    assert b"a library's remark" in process.stderr.read()
