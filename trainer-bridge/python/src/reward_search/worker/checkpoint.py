"""A run's state between two steps as one file: what Trainer saves, less what it does not need to go on.

    python checkpoint.py CHECKPOINT FOLDER      # writes the model in it as a folder in Hugging Face's layout; exit code 3 if it holds an adapter
"""

from __future__ import annotations

import json
import os
import sys
import tarfile

#: Not needed to go on: every step draws from a seed of its own, and the settings come with the job.
_LEFT_OUT = ("training_args.bin", "rng_state", "README.md")
#: What PEFT calls an adapter's files.
ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
#: How the names of a model's own files end; its tokenizer is the base model's.
_MODEL = ("config.json", ".safetensors", ".safetensors.index.json")
#: Names what the file is of.
_LABEL = "reward-search.json"
_KIND = "trl"


def pack(folder: str | None, file: str, step: int) -> None:
    """Writes the state in `folder` into one file; without a folder it is that of a run that has not begun."""
    label = os.path.join(os.path.dirname(file), _LABEL)
    with open(label, "w", encoding="utf-8") as out:
        json.dump({"kind": _KIND, "step": step}, out)
    with tarfile.open(file, "w") as archive:
        archive.add(label, _LABEL)
        for name in sorted(os.listdir(folder)) if folder else []:
            if not name.startswith(_LEFT_OUT):
                archive.add(os.path.join(folder or "", name), name)
    os.remove(label)


def unpack(file: str, folder: str) -> int:
    """Writes the state in a file into a folder; returns its step. Raises `ValueError` or `OSError` if it is none of ours."""
    os.makedirs(folder, exist_ok=True)
    try:
        with tarfile.open(file, "r:") as archive:
            archive.extractall(folder, filter="data")
    except tarfile.TarError as error:
        raise ValueError(f"it is not one of this trainer's: {error}") from None
    try:
        with open(os.path.join(folder, _LABEL), encoding="utf-8") as label:
            known = json.load(label)
    except FileNotFoundError:
        raise ValueError("it is not one of this trainer's: it has no label") from None
    if known.get("kind") != _KIND:
        raise ValueError(f"it is of another kind of trainer: {known.get('kind')}")
    return int(known["step"])


def export(file: str, folder: str) -> bool:
    """Writes the model in a file as a folder; returns whether there was one."""
    with tarfile.open(file, "r:") as archive:
        names = archive.getnames()
        if ADAPTER_FILES[1] in names or not any(name.endswith(".safetensors") for name in names):
            return False
        keep = [member for member in archive.getmembers() if member.name.endswith(_MODEL) and member.name != "tokenizer_config.json"]
        archive.extractall(folder, members=keep, filter="data")
    return True


if __name__ == "__main__":
    sys.exit(0 if export(sys.argv[1], sys.argv[2]) else 3)
