"""Starts a run: `python -m reward_search.worker`, told what to do on standard input."""

from __future__ import annotations

import os
import shutil
import sys
import traceback

from .channel import PROTOCOL, Channel
from .faults import told
from .look import PACKAGES, version
from .spec import Spec

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


def main() -> int:
    """Carries out one run; 0 if it ended as it should, 3 if not, which the event `error` explains."""
    channel = Channel()
    os.environ.update(ENVIRONMENT)
    channel.tell("hello", protocol=PROTOCOL, pid=os.getpid(), versions={name: found for name in PACKAGES if (found := version(name))})
    start = channel.start()
    step = 0
    try:
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
        shutil.rmtree(os.path.join(start["work"], "out"), ignore_errors=True)


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Threads of libraries must not keep a run that is over.
    os._exit(code)
