"""A run: steps of TRL's GRPOTrainer from the base model or a checkpoint, then a completion of every evaluation prompt."""

from __future__ import annotations

import os
import shutil
import time
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import GenerationConfig, PrinterCallback, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from . import checkpoint, model
from .channel import Channel
from .faults import BadCheckpoint, NonFinite, SetupError
from .metrics import step_metrics
from .scorer import EXAMPLE, JobScorer
from .spec import Json, Spec, sampling_settings, trl_settings


class Stopped(Exception):
    """The other side wants the run to end, and it can."""


class Run:
    """A run under way. `step` is the last one that is done."""

    def __init__(self, spec: Spec, channel: Channel) -> None:
        self.spec, self.channel, self.step = spec, channel, spec.done
        self._state: str | None = None
        self._file: str | None = spec.checkpoint

    def to_end(self) -> None:
        """Trains, evaluates, and tells what came of it."""
        spec = self.spec
        torch.set_num_threads(spec.settings["threads"])
        model.check_device(spec)
        self._open_checkpoint()
        self.channel.tell("phase", what="loading the model")
        tokenizer = model.tokenizer_of(spec)
        base = model.model_of(spec, tokenizer)
        model.check_prompts(spec, tokenizer, getattr(base.config.get_text_config(), "max_position_embeddings", None))
        try:
            trained = self._train(base, tokenizer) if spec.done < spec.until_step else self._as_it_is(base)
            completions = self._evaluate(trained, tokenizer)
        except Stopped:
            self.channel.tell("stopped", **self._saved())
            return
        self.channel.tell("done", completions=completions, **self._saved())

    def _open_checkpoint(self) -> None:
        spec = self.spec
        if spec.checkpoint is None:
            return
        folder = os.path.join(spec.work, f"from/checkpoint-{spec.done}")
        try:
            step = checkpoint.unpack(spec.checkpoint, folder)
        except (ValueError, OSError) as error:
            raise BadCheckpoint(str(error)) from error
        if step != spec.done:
            raise BadCheckpoint(f"it is of step {step}, not {spec.done}")
        if step > 0:
            self._state = folder

    def _as_it_is(self, base: Any) -> Any:
        if self._file is None:
            self._file = os.path.join(self.spec.work, "untouched.tar")
            checkpoint.pack(None, self._file, 0)
        return model.with_state(base, self._state) if self._state else base

    def _train(self, base: Any, tokenizer: Any) -> Any:
        spec, channel = self.spec, self.channel
        if not spec.members:
            raise SetupError("training needs at least one example and one reward")
        channel.tell("phase", what="loading the rewards")
        scorer = JobScorer(spec, model.decoder(tokenizer), lambda: channel.tell("scored", step=self.step + 1))
        try:
            trainer = self._trainer(base, tokenizer, scorer)
            channel.tell("phase", what="training")
            try:
                trainer.train(resume_from_checkpoint=self._state)
            except (KeyError, ValueError) as error:
                if self._state and self.step == spec.done:
                    raise BadCheckpoint(f"{type(error).__name__}: {error}") from error
                raise
        finally:
            scorer.close()
        if self.step < spec.until_step:
            raise Stopped
        return trainer.accelerator.unwrap_model(trainer.model)

    def _trainer(self, base: Any, tokenizer: Any, scorer: JobScorer) -> GRPOTrainer:
        spec = self.spec
        lora = spec.settings.get("lora")
        adapter = lora and LoraConfig(
            r=lora["r"],
            lora_alpha=lora["alpha"],
            lora_dropout=lora["dropout"],
            target_modules=list(lora["targets"]),
            bias="none",
            task_type="CAUSAL_LM",
        )
        whole = tokenizer.chat_template is None
        examples = spec.job["examples"]
        rows = [
            {"prompt": examples[place]["prompt"] if whole else spec.conversation(examples[place]["prompt"]), EXAMPLE: place}
            for place in spec.prompts()
        ]
        trainer = Scheduled(
            model=base,
            reward_funcs=list(scorer.functions()),
            args=GRPOConfig(**trl_settings(spec)),
            train_dataset=Dataset.from_list(rows),
            processing_class=tokenizer,
            peft_config=adapter,
            callbacks=[Steps(self, scorer)],
            rates=spec.learning_rates,
        )
        trainer.remove_callback(PrinterCallback)
        if lora:
            # Whoever loads the adapter looks for its base by this name; the folder, which vLLM has read, is this machine's own.
            trainer.model.peft_config["default"].base_model_name_or_path = spec.settings["name"]
        return trainer

    def saved(self, folder: str) -> None:
        """Takes note of a checkpoint of the step just done, and tells of it unless the run is over anyway."""
        self._file = os.path.join(self.spec.work, f"checkpoint-{self.step}.tar")
        checkpoint.pack(folder, self._file, self.step)
        self._state = folder
        if self.step < self.spec.until_step and not self.channel.stopped:
            self.channel.tell("saved", **self._saved())

    def _saved(self) -> Json:
        """What is told of the last checkpoint. The other side removes these files once it has read them."""
        adapter = None
        if self._state and os.path.exists(os.path.join(self._state, checkpoint.ADAPTER_FILES[1])):
            adapter = os.path.join(self.spec.work, f"adapter-{self.step}")
            os.makedirs(adapter, exist_ok=True)
            for name in checkpoint.ADAPTER_FILES:
                shutil.copyfile(os.path.join(self._state, name), os.path.join(adapter, name))
                self.channel.carry(os.path.join(adapter, name))
        if self._file:
            self.channel.carry(self._file)
        return {"step": self.step, "checkpoint": self._file, "adapter": adapter}

    def _evaluate(self, trained: Any, tokenizer: Any) -> list[str]:
        """A completion of every evaluation prompt, a portion at a time, so that a stopped run ends soon."""
        spec, channel = self.spec, self.channel
        prompts, portion = spec.job["eval_prompts"], spec.settings["eval_batch"]
        trained.eval()
        if hasattr(trained, "gradient_checkpointing_disable"):
            trained.gradient_checkpointing_disable()
        trained.config.use_cache = True
        ends = trained.generation_config.eos_token_id
        ends = {tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [] if ends is None else [ends])}
        config = GenerationConfig(
            **sampling_settings(spec.job["evaluation"]), eos_token_id=sorted(ends), pad_token_id=tokenizer.pad_token_id, disable_compile=True
        )
        decode = model.decoder(tokenizer)
        texts: list[str] = []
        for start in range(0, len(prompts), portion):
            if channel.stopped:
                raise Stopped
            # Not seeded by the step: the same noise at every rung.
            torch.manual_seed(spec.seed("evaluate", start // portion))
            encoded = model.encode(spec, tokenizer, prompts[start : start + portion])
            padded = tokenizer.pad({"input_ids": encoded}, return_tensors="pt").to(trained.device)
            with torch.no_grad(), torch.autocast(trained.device.type, torch.bfloat16, enabled=spec.settings["dtype"] == "bf16"):
                drawn = trained.generate(input_ids=padded["input_ids"], attention_mask=padded["attention_mask"], generation_config=config)
            for ids in drawn[:, padded["input_ids"].shape[1] :].tolist():
                end = next((place for place, token in enumerate(ids) if token in ends), len(ids))
                texts.append(decode(ids[:end]))
            channel.tell("evaluated", done=len(texts), of=len(prompts))
        return texts


class Scheduled(GRPOTrainer):  # type: ignore[misc]
    """TRL's trainer with the learning rates that it is told, a step each."""

    def __init__(self, *, rates: list[float], **others: Any) -> None:
        self._rates = rates
        super().__init__(**others)

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        peak = self.args.learning_rate or 1.0
        share = [rate / peak for rate in self._rates]
        # `done` counts the updates before this one.
        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer or self.optimizer, lambda done: share[min(done, len(share) - 1)])
        return self.lr_scheduler


class Steps(TrainerCallback):  # type: ignore[misc]
    """Follows the steps: seeds them, tells of them, and says when to save and when to stop."""

    def __init__(self, run: Run, scorer: JobScorer) -> None:
        self.run, self.scorer = run, scorer
        self.logs: Json = {}
        self.begun = time.monotonic()

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.begun = time.monotonic()
        torch.manual_seed(self.run.spec.seed("train", state.global_step + 1))

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        run, step = self.run, state.global_step
        stops = run.channel.stopped and (run.spec.is_boundary(step) or step >= run.spec.until_step)
        control.should_save = stops or run.spec.saves_after(step)
        control.should_training_stop = stops or step >= run.spec.until_step

    def on_log(self, args: Any, state: Any, control: Any, logs: Json | None = None, **_: Any) -> None:
        if not logs or "loss" not in logs:
            return
        for what, name in (("loss", "loss"), ("gradient", "grad_norm")):
            value = logs.get(name)
            if value is not None and not torch.isfinite(torch.tensor(float(value))):
                raise NonFinite(what)
        self.logs |= logs
        self.run.step = state.global_step
        batch = self.scorer.last
        if batch is not None:
            seconds = time.monotonic() - self.begun
            self.run.channel.tell("step", metrics=step_metrics(self.run.spec, self.logs, batch, state.global_step, seconds))

    def on_save(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        if any(not torch.isfinite(parameter).all() for parameter in model.parameters() if parameter.requires_grad):
            raise NonFinite("weights")
        former = self.run._state
        folder = os.path.join(args.output_dir, f"checkpoint-{state.global_step}")
        self.run.saved(folder)
        if former and former != folder:
            shutil.rmtree(former, ignore_errors=True)
