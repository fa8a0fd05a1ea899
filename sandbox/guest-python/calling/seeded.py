"""`random` as rewards see it: it starts from 0 where Python would ask the system for entropy, which the sandbox has none of to give."""

from importlib import util

# What a generator starts from where no seed is given, and the hidden instances that do so.
start = [0]
hidden = []


def begin(seed):
    """Lets all that was not seeded start from another number."""
    start[0] = seed
    for instance in hidden:
        instance.seed()


def install(module):
    """Puts a generator that starts from 0 into the place of a module's class and of its hidden instance."""

    class Random(module.Random):
        """A generator that starts from 0 where no seed is given."""

        def __new__(cls, x=None):
            return super().__new__(cls, start[0])

        def seed(self, a=None, version=2):
            super().seed(start[0] if a is None else a, version)

    shared = Random()
    for name in dir(module._inst):
        if getattr(module, name, None) == getattr(module._inst, name):
            setattr(module, name, getattr(shared, name))
    module.Random = Random
    module._inst = shared
    hidden.append(shared)


def copy():
    """The module `random` once more, so that nobody else's numbers change."""
    spec = util.find_spec("random")
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


random = copy()
install(random)
