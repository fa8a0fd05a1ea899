"""The base model and its tokenizer, loaded from a folder onto the device, with nothing of their own ideas about sampling."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, PreTrainedTokenizerFast

from .checkpoint import ADAPTER_FILES
from .faults import BadCheckpoint, CudaMissing, NotEnoughMemory, SetupError
from .spec import Spec

GIB = 1 << 30
_DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


def dtype_of(spec: Spec) -> str:
    """The type that the weights are kept in. What is trained is kept in f32: steps are too small for 16 bits; the arithmetic has them all the same."""
    dtype: str = spec.settings["dtype"]
    return dtype if spec.settings.get("lora") else "f32"


def check_device(spec: Spec) -> None:
    """Refuses a device that is not there, or has less memory free than the weights alone take."""
    if spec.settings["device"] == "cpu":
        return
    if not torch.cuda.is_available():
        if torch.version.cuda is None:
            raise CudaMissing(f"torch {torch.__version__} was built without CUDA: install the CUDA build of it, or set `devices = []` to train on the processor")
        raise CudaMissing(
            f"torch {torch.__version__} finds no GPU (it was built for CUDA {torch.version.cuda}): look at `nvidia-smi`, whether the driver is "
            "new enough for that, and whether `devices` names a GPU that is there; `devices = []` trains on the processor"
        )
    free, whole = torch.cuda.mem_get_info()
    need = weight_bytes(spec)
    if free < need:
        raise NotEnoughMemory(
            f"GPU {spec.settings['number']} has {free / GIB:.1f} of {whole / GIB:.1f} GiB free, and the weights alone take {need / GIB:.1f} GiB: "
            "something else runs there"
        )


def weight_bytes(spec: Spec) -> int:
    """What the model's weights take on the device."""
    folder = spec.settings["model"]
    stored = sum(entry.stat().st_size for entry in os.scandir(folder) if entry.name.endswith(".safetensors"))
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    was = 4 if config.get("dtype", config.get("torch_dtype")) == "float32" else 2
    return stored * (4 if dtype_of(spec) == "f32" else 2) // was


def tokenizer_of(spec: Spec) -> Any:
    """The model's tokenizer. A folder with a `tokenizer.json` alone has its special tokens from `config.json`."""
    folder = spec.settings["model"]
    if os.path.exists(os.path.join(folder, "tokenizer_config.json")):
        tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    else:
        tokenizer = PreTrainedTokenizerFast(tokenizer_file=os.path.join(folder, "tokenizer.json"), padding_side="left")
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
            config = json.load(file)
        for name in ("eos", "pad", "bos"):
            ids = config.get(f"{name}_token_id")
            token = None if ids is None else tokenizer.convert_ids_to_tokens(ids[0] if isinstance(ids, list) else ids)
            if token is not None:
                setattr(tokenizer, f"{name}_token", token)
    if tokenizer.eos_token is None:
        raise SetupError(f"{folder}: nothing ends a completion: set `eos_token_id` in the model's config.json")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if spec.settings["chat_template"] == "none":
        tokenizer.chat_template = None
    elif tokenizer.chat_template is None and spec.settings.get("system_prompt") is not None:
        raise SetupError("there is no chat template, so `system_prompt` has no place: words for the model belong into the task's `prompt`")
    return tokenizer


def model_of(spec: Spec, tokenizer: Any) -> Any:
    """The base model on the device."""
    model = AutoModelForCausalLM.from_pretrained(spec.settings["model"], dtype=_DTYPES[dtype_of(spec)])
    # What a model's maker thinks of temperatures and penalties would be merged into what the job says.
    own = model.generation_config
    model.generation_config = GenerationConfig(eos_token_id=own.eos_token_id, bos_token_id=own.bos_token_id, pad_token_id=tokenizer.pad_token_id)
    return model.to("cpu" if spec.settings["device"] == "cpu" else "cuda")


def with_state(model: Any, folder: str) -> Any:
    """The model with the adapter, or the weights, of a checkpoint's folder."""
    from peft import PeftModel
    from safetensors.torch import load_file

    if os.path.exists(os.path.join(folder, ADAPTER_FILES[1])):
        return PeftModel.from_pretrained(model, folder)
    files = sorted(entry.path for entry in os.scandir(folder) if entry.name.endswith(".safetensors"))
    if not files:
        raise BadCheckpoint("there are no weights in it")
    state = {name: tensor for file in files for name, tensor in load_file(file).items()}
    missing = model.load_state_dict(state, strict=False)
    if missing.unexpected_keys:
        raise BadCheckpoint(f"it is another model's: {missing.unexpected_keys[0]}")
    return model


def encode(spec: Spec, tokenizer: Any, prompts: Sequence[str]) -> list[list[int]]:
    """The tokens of prompts, as TRL makes them: through the chat template where there is one."""
    if tokenizer.chat_template is None:
        ids: list[list[int]] = tokenizer(text=list(prompts))["input_ids"]
        return ids
    kwargs = spec.settings.get("chat_template_kwargs") or {}
    conversations = [spec.conversation(prompt) for prompt in prompts]
    tokenized = tokenizer.apply_chat_template(conversation=conversations, add_generation_prompt=True, tokenize=True, return_dict=True, **kwargs)
    ids = tokenized["input_ids"]
    return ids


def check_prompts(spec: Spec, tokenizer: Any, positions: int | None) -> None:
    """Refuses prompts that cannot be put to the model."""
    learns = spec.done < spec.until_step
    prompts = {example["prompt"] for example in spec.job["examples"] if learns} | set(spec.job["eval_prompts"])
    for prompt in sorted(prompts):
        try:
            (ids,) = encode(spec, tokenizer, [prompt])
        except Exception as error:
            raise SetupError(f"the tokenizer cannot encode {prompt[:80]!r}: {error}") from error
        if not ids or positions is not None and len(ids) >= positions:
            raise SetupError(f"a prompt has {len(ids)} tokens, and the model has room for {positions} with the completion: {prompt[:80]!r}")


def decoder(tokenizer: Any) -> Any:
    """Gives the text of a completion's tokens, special ones left out."""

    def decode(ids: list[int]) -> str:
        text: str = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    return decode
