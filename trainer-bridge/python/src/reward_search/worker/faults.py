"""What went wrong in a run, told apart by what can be done about it."""

from __future__ import annotations

from typing import Any

from ..errors import HostTrouble, RewardFault, ServerDied, ServerNotStarted


class SetupError(Exception):
    """The settings, the job or the machine cannot work: tell the user."""


class CudaMissing(SetupError):
    """A GPU is asked for, and torch finds none."""


class NotEnoughMemory(Exception):
    """Less memory is free than the run will certainly need."""


class BadCheckpoint(Exception):
    """The state to continue from is damaged, or another run's."""


class NonFinite(Exception):
    """The run left the numbers."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not finite")
        self.what = what


#: What torch, CUDA, the system and vLLM say when memory runs out.
_OUT_OF_MEMORY = (
    "out of memory", "can't allocate memory", "cannot allocate memory", "cublas_status_alloc_failed", "no available memory for the cache blocks",
    "less than desired gpu memory utilization", "larger than the available kv cache memory",
)  # fmt: skip
#: What torch says when it is to draw from a distribution that weights beyond the numbers gave.
_NOT_A_DISTRIBUTION = ("probability tensor contains either", "device-side assert")


def told(error: BaseException, step: int) -> dict[str, Any]:
    """The fields of the event `error`."""
    fields: dict[str, Any] = {"step": step, "message": _message(error)}
    lower = str(error).lower()
    if isinstance(error, RewardFault):
        fields |= {"kind": "reward", "reward": error.reward, "fault": {"kind": error.kind, "index": error.index, "message": error.message}}
    elif isinstance(error, NonFinite):
        fields |= {"kind": "non_finite", "what": error.what}
    elif isinstance(error, CudaMissing):
        fields["kind"] = "cuda_missing"
    elif isinstance(error, SetupError) or isinstance(error, ServerNotStarted) and error.code == 2:
        fields["kind"] = "setup"
    elif isinstance(error, BadCheckpoint):
        fields["kind"] = "checkpoint"
    elif isinstance(error, (NotEnoughMemory, MemoryError)) or any(sign in lower for sign in _OUT_OF_MEMORY):
        fields["kind"] = "out_of_memory"
    elif any(sign in lower for sign in _NOT_A_DISTRIBUTION):
        fields |= {"kind": "non_finite", "what": "weights"}
    elif isinstance(error, (HostTrouble, ServerDied, ServerNotStarted, OSError)):
        fields["kind"] = "host"
    else:
        fields["kind"] = "unknown"
    return fields


def _message(error: BaseException) -> str:
    """The first line of what it says, with its class where that is not ours."""
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    if isinstance(error, (SetupError, NotEnoughMemory, BadCheckpoint, NonFinite, RewardFault, HostTrouble)):
        return first
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
