"""What is to be done, as the start line and the job's file say it, and what TRL is told of it. Nothing here needs TRL.

Every field of the job's `grpo` is mapped on its own, and one that nothing here knows is refused: what TRL's own default is never decides.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from typing import Any

from .channel import PROTOCOL
from .faults import SetupError

Json = dict[str, Any]


@dataclass(frozen=True)
class Spec:
    """A run."""

    #: The path of the job's file: whoever scores reads it, too.
    job_file: str
    #: The job.
    job: Json
    #: A folder for what the run needs while it goes on; removed after it.
    work: str
    #: The program that scores.
    program: str
    #: The `[trainer]` section, resolved.
    settings: Json
    #: The learning rate of each step from the first, however many of them are done.
    learning_rates: list[float]
    #: The file of the checkpoint to continue from.
    checkpoint: str | None

    @classmethod
    def of(cls, start: Json) -> Spec:
        """Of a start line."""
        if start["protocol"] != PROTOCOL:
            raise SetupError(f"the program speaks protocol {start['protocol']} of the worker, and the worker {PROTOCOL}")
        with open(start["job"], encoding="utf-8") as file:
            job = json.load(file)
        at = (job.get("from") or {}).get("at") or {}
        return cls(
            job_file=start["job"],
            job=job,
            work=start["work"],
            program=start["program"],
            settings=start["settings"],
            learning_rates=start["learning_rates"],
            checkpoint=at.get("folder"),
        )

    @property
    def done(self) -> int:
        """The step that the run begins after."""
        return int((self.job.get("from") or {}).get("step", 0))

    @property
    def until_step(self) -> int:
        """The step that it ends after."""
        return int(self.job["until_step"])

    @property
    def members(self) -> list[str]:
        """The names of the rewards, in the mix's order."""
        return [member["name"] for member in self.job["mix"]["members"]]

    @property
    def weights(self) -> list[float]:
        """Their weights."""
        return [member["weight"] for member in self.job["mix"]["members"]]

    @property
    def steps_per_batch(self) -> int:
        """Optimiser steps that one batch of rollouts serves."""
        grpo = self.job["grpo"]
        return int(grpo["steps_per_generation"] * grpo["num_iterations"])

    def is_boundary(self, step: int) -> bool:
        """Whether the step after this one begins with new rollouts, so that a run can go on from here to the same figures."""
        return step % self.steps_per_batch == 0

    def saves_after(self, step: int) -> bool:
        """Whether a checkpoint is due after this step. It waits for the next one that a run can go on from."""
        if step >= self.until_step:
            return True
        every = self.job.get("save_every")
        if not every or not self.is_boundary(step):
            return False
        return bool(step // every > (step - self.steps_per_batch) // every)

    def prompts(self) -> list[int]:
        """The places in `examples` of the training prompts in the order in which the run uses them, from its first step."""
        grpo = self.job["grpo"]
        batches = math.ceil(self.until_step / self.steps_per_batch)
        count = batches * grpo["steps_per_generation"] * grpo["prompts_per_step"]
        return [place % len(self.job["examples"]) for place in range(count)]

    def seed(self, purpose: str, place: int) -> int:
        """A seed for all draws of a step or portion. The rewards have no part in it: every candidate meets the same noise."""
        digest = hashlib.sha256(f"{self.job['seed']}/{purpose}/{place}".encode()).digest()
        return int.from_bytes(digest[:8], "little") >> 1

    def conversation(self, prompt: str) -> list[dict[str, str]]:
        """A prompt as the question of a conversation."""
        system = self.settings.get("system_prompt")
        first = [] if system is None else [{"role": "system", "content": system}]
        return [*first, {"role": "user", "content": prompt}]


def micro_batch(rows: int, most: int) -> int:
    """Completions that go through the model at once: as many as allowed, of which a step's are a multiple."""
    return max(size for size in range(1, min(rows, most) + 1) if rows % size == 0)


def trl_settings(spec: Spec) -> Json:
    """What `GRPOConfig` is told."""
    grpo, settings = dict(spec.job["grpo"]), spec.settings
    take = grpo.pop
    rows = take("prompts_per_step") * grpo["num_generations"]
    size = micro_batch(rows, settings["micro_batch"])
    parts = rows // size
    bf16 = settings["dtype"] == "bf16"
    min_p = take("min_p")
    told: Json = {
        "per_device_train_batch_size": size,
        "gradient_accumulation_steps": parts,
        # Ours counts optimiser steps, TRL's micro-batches.
        "steps_per_generation": take("steps_per_generation") * parts,
        "num_iterations": take("num_iterations"),
        "num_generations": take("num_generations"),
        "max_completion_length": take("max_completion_length"),
        "temperature": take("temperature"),
        "top_k": take("top_k"),
        "top_p": take("top_p"),
        "min_p": min_p or None,
        "repetition_penalty": 1.0,
        "learning_rate": take("learning_rate"),
        "optim": "adamw_torch",
        "adam_beta1": take("adam_beta1"),
        "adam_beta2": take("adam_beta2"),
        "adam_epsilon": 1e-8,
        "weight_decay": take("weight_decay"),
        "max_grad_norm": take("max_grad_norm"),
        "loss_type": take("loss_type"),
        "beta": take("beta"),
        "use_bias_correction_kl": take("use_bias_correction_kl"),
        "epsilon": take("epsilon"),
        "epsilon_high": take("epsilon_high", None),
        "delta": None,
        "importance_sampling_level": take("importance_sampling_level"),
        "scale_rewards": take("scale_rewards"),
        "mask_truncated_completions": take("mask_truncated_completions"),
        "multi_objective_aggregation": spec.job["mix"]["aggregation"],
        "reward_weights": spec.weights,
        "entropy_coef": 0.0,
        "top_entropy_quantile": 1.0,
        "disable_dropout": False,
        "sync_ref_model": False,
        "shuffle_dataset": False,
        "chat_template_kwargs": settings.get("chat_template_kwargs") or None,
        "max_steps": spec.until_step,
        "seed": spec.seed("begin", 0) % 2**32,
        "output_dir": f"{spec.work}/out",
        "bf16": bf16,
        "fp16": False,
        "use_cpu": settings["device"] == "cpu",
        "gradient_checkpointing": settings["gradient_checkpointing"],
        "dataloader_num_workers": 0,
        "remove_unused_columns": False,
        # When to save is decided step by step.
        "save_strategy": "no",
        "save_total_limit": 1,
        "logging_strategy": "steps",
        "logging_steps": 1,
        "logging_first_step": False,
        "logging_nan_inf_filter": False,
        "report_to": "none",
        "disable_tqdm": True,
        "log_completions": False,
        "use_vllm": settings["use_vllm"],
    }
    # The rate of every step comes with the start line; these say how it was made.
    for made_of in ("warmup_steps", "lr_scheduler_type", "max_steps"):
        take(made_of, None)
    told["lr_scheduler_type"] = "constant"
    refuse(take("filter") == "none", "grpo.filter")
    refuse(take("sync_every") <= spec.steps_per_batch, "grpo.sync_every")
    refuse(told["loss_type"] != "bnpo" or parts == 1, "grpo.loss_type = \"bnpo\"")
    if grpo:
        raise SetupError(f"the worker does not know these settings of [grpo]: {', '.join(sorted(grpo))}")
    if settings["use_vllm"]:
        told |= {
            "vllm_mode": settings["vllm_mode"],
            "vllm_gpu_memory_utilization": settings["vllm_gpu_memory_utilization"],
            "vllm_max_model_length": settings["vllm_max_model_length"],
            "vllm_enable_sleep_mode": settings["vllm_enable_sleep_mode"],
            "vllm_importance_sampling_correction": True,
        }
        if settings["vllm_mode"] == "server":
            told["vllm_server_base_url"] = settings["vllm_server_base_url"]
    return told


def refuse(holds: bool, what: str) -> None:
    """The program refuses it before anything is started; this is for whoever starts a worker by hand."""
    if not holds:
        raise SetupError(f"TRL cannot honour {what}")


def sampling_settings(evaluation: Json) -> Json:
    """What `GenerationConfig` is told for evaluation."""
    rest = dict(evaluation)
    temperature = rest.pop("temperature")
    told: Json = {"max_new_tokens": rest.pop("max_completion_length"), "repetition_penalty": 1.0, "num_beams": 1, "do_sample": temperature > 0}
    drawn: Json = {"temperature": temperature, "top_k": rest.pop("top_k"), "top_p": rest.pop("top_p"), "min_p": rest.pop("min_p") or None}
    if rest:
        raise SetupError(f"the worker does not know these settings of [evaluation]: {', '.join(sorted(rest))}")
    return told | drawn if told["do_sample"] else told
