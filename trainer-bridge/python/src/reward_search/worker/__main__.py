"""Starts a run: `python -m reward_search.worker`, told what to do on standard input, or on a cluster in a file that is named."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sys
import traceback

from .channel import PROTOCOL, Channel
from .faults import told
from .leased import Leased, complete
from .look import PACKAGES, version
from .spec import Json, Spec

#: Nothing is fetched: models come as folders. Warnings of experimental parts and usage statistics are not wanted either.
ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRL_EXPERIMENTAL_SILENCE": "1",
    "WANDB_DISABLED": "true",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
}


def rendezvous() -> dict[str, str]:
    """Where vLLM's parts meet: a port of this machine that nobody else has. TRL tries the same few ones in every process, so that two runs
    that begin together would both find the first one free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        return {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(listener.getsockname()[1])}


def main() -> int:
    """Carries out one run; 0 if it ended as it should, 3 if not, which the event `error` explains."""
    channel = Leased(sys.argv[1]) if len(sys.argv) > 1 else Channel()
    versions = {name: found for name in PACKAGES if (found := version(name))}
    channel.tell("hello", protocol=PROTOCOL, pid=os.getpid(), versions={"python": platform.python_version(), **versions})
    start: Json = {}
    step = 0
    try:
        start = channel.start()
        if isinstance(channel, Leased):
            complete(start)
        os.environ.update(ENVIRONMENT | rendezvous())
        spec = Spec.of(start)
        step = spec.done
        os.environ["OMP_NUM_THREADS"] = str(spec.settings["threads"])
        channel.tell("phase", what="importing torch, transformers and trl")
        from .run import Run

        run = Run(spec, channel)
        try:
            run.to_end()
        finally:
            step = run.step
        return 0
    except Exception as error:
        traceback.print_exc()
        # The step under way.
        channel.tell("error", **told(error, step + 1))
        return 3
    finally:
        if start:
            # What is told of lies beside it, for the other side to take.
            shutil.rmtree(os.path.join(start["work"], "out"), ignore_errors=True)


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Threads of libraries must not keep a run that is over.
    os._exit(code)
