"""Harmless stand-ins for modules that rewards import by habit. What they do not have is refused with its name, never guessed."""

import types

# What was asked for in vain since the last batch began: a reward may have caught the exception.
asked = []

NOTES = {
    "random": "`random`: every batch begins with the same numbers; a reward whose scores they decide is refused",
    "time": "`time`: there is no clock; it stands still",
    "datetime": "`datetime`: there is no clock; it is always 2025-01-01 00:00",
    "threading": "`threading`: there are no threads; what is started runs at once",
    "concurrent": "`concurrent`: there are no threads; what is submitted runs at once",
    "signal": "`signal`: there are no signals; no time-out ever strikes",
    "torch": "`torch` is a small stand-in: numbers in lists, no models",
    "numpy": "`numpy` is a small one in pure Python: arrays of numbers; a last digit of exp, log and powers may differ",
    "regex": "`regex` is answered by `re`",
    "math_verify": "`math_verify` is answered by this program's own verifier, which may call other answers right",
}


class Absent(AttributeError):
    """Something that a stand-in does not have."""


class Module(types.ModuleType):
    """A module that says what it does not have."""

    def __init__(self, name, /, **contents):
        super().__init__(name)
        self.__dict__.update(contents)
        self.__dict__["__path__"] = []

    def __getattr__(self, name):
        whole = f"{self.__name__}.{name}"
        if name.startswith("__"):
            raise AttributeError(whole)
        asked.append(whole)
        raise Absent(f"`{whole}` is not there in the sandbox")


MODULES = {}


def add(name, /, **contents):
    """Makes a module, and puts it into the one it belongs to."""
    module = MODULES[name] = Module(name, **contents)
    package, _, own = name.rpartition(".")
    if package:
        setattr(MODULES[package], own, module)
    return module


def find(name):
    """The stand-in of that name, or None."""
    return MODULES.get(name)


def refuse(name):
    """A function that is not there."""

    def absent(*_, **__):
        asked.append(name)
        raise Absent(f"`{name}` is not there in the sandbox")

    return absent


from . import array_functions, frameworks, system, tensors, verification, waiting  # noqa: E402, F401
