"""Where the program `reward-search` is, and how one of its commands is run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .errors import ProgramFailed, ProgramMissing

NAME = "reward-search"
_NAMES = "weights|database|verifier|cache|job"
_OPTION = re.compile(rf"`--(?P<quoted>{_NAMES})(?: FILE)?`|--(?P<bare>{_NAMES})(?: FILE)?\b")
#: How it begins to say why it ends.
COMPLAINS = "error: "
#: Names another program than the one that came with this package.
VARIABLE = "REWARD_SEARCH_PROGRAM"


def find_program(program: str | os.PathLike[str] | None = None) -> str:
    """The path of the program: the one given, else that in the variable `REWARD_SEARCH_PROGRAM`, else the one this package was installed
    with, else the one on the path.

    Raises `ProgramMissing` if there is none.
    """
    named = program or os.environ.get(VARIABLE)
    if named:
        found = shutil.which(os.fspath(named))
        if found is None:
            raise ProgramMissing(f"{os.fspath(named)} is no program that can be run")
        return found
    for folder in (sysconfig.get_path("scripts"), os.path.dirname(sys.executable)):
        beside = Path(folder) / NAME
        if os.access(beside, os.X_OK):
            return str(beside)
    found = shutil.which(NAME)
    if found is None:
        raise ProgramMissing(
            f"`{NAME}` is neither beside {sys.executable} nor on the path: install the wheel of this package, or name the program in {VARIABLE}"
        )
    return found


def run(arguments: Sequence[str], program: str | os.PathLike[str] | None = None) -> str:
    """What a command prints. Raises `ProgramFailed` with the program's own words if it fails."""
    done = subprocess.run(
        [find_program(program), *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8", check=False
    )
    if done.returncode != 0:
        raise ProgramFailed(complaint(done.stderr) or f"`{NAME} {arguments[0]}` ended with code {done.returncode}", done.returncode)
    return done.stdout


def complaint(said: str) -> str:
    """What the program complained of at last in what it said on standard error, with its options called as they are in Python."""
    last = said.strip().rpartition(f"\n{COMPLAINS}")[2].removeprefix(COMPLAINS)
    return _OPTION.sub(lambda option: f"`{option['quoted'] or option['bare']}=`", last)


def run_json(arguments: Sequence[str], program: str | os.PathLike[str] | None = None) -> Any:
    """The JSON that a command prints."""
    return json.loads(run(arguments, program))
