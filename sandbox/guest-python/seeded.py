"""Makes `random` the same everywhere: where Python would ask the system for entropy, the sandbox has none to give."""

import random


class Random(random.Random):
    """A generator that starts from 0 where no seed is given."""

    def __new__(cls, x=None):
        return super().__new__(cls, 0)

    def seed(self, a=None, version=2):
        super().seed(0 if a is None else a, version)


def install():
    """Puts it in the place of the module's class and of its hidden instance."""
    shared = Random()
    for name in dir(random._inst):
        if getattr(random, name, None) == getattr(random._inst, name):
            setattr(random, name, getattr(shared, name))
    random.Random = Random
    random._inst = shared
