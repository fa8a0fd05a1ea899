"""Base classes and decorators of the frameworks that rewards are written for: ms-swift, verifiers, NeMo RL, TRL, verl."""

from .. import stub_logging
from . import MODULES, add


class ORM:
    """ms-swift's base class of rewards."""

    def __init__(self, args=None, **_):
        self.args = args

    def __call__(self, **_):
        raise NotImplementedError


class AsyncORM(ORM):
    """The same for asynchronous ones."""


class Plain:
    """A base class that adds nothing."""

    def __init_subclass__(cls, **_):
        pass

    def __init__(self, *_, **__):
        pass


def decorator(function=None, **_):
    """`@vf.reward` and `@vf.reward(weight=…)`: the function as it is."""
    return function if callable(function) else lambda function: function


def register(*_, **__):
    """A registry's decorator."""
    return lambda thing: thing


swift = {"ORM": ORM, "AsyncORM": AsyncORM, "orms": {}, "get_logger": stub_logging.getLogger}
add("swift")
for name in ("plugin", "rewards", "utils"):
    add(f"swift.{name}", **swift)
add("swift.plugin.orm", **swift)
add("swift.rewards.orm", **swift)
add("swift.llm", **swift)
names = dict.fromkeys(("reward", "metric", "stop", "group_reward", "cleanup"), decorator)
add("verifiers", Task=Plain, Taskset=Plain, Trace=Plain, TaskData=Plain, Messages=list, State=dict, Info=dict, **names)
add("verifiers.types", Messages=list, State=dict, Info=dict)
MODULES["verifiers.v1"] = MODULES["verifiers"]
MODULES["verifiers"].v1 = MODULES["verifiers"]
add("verl")
for name in ("verl.workers", "verl.workers.reward_manager", "verl.utils", "verl.utils.reward_score"):
    add(name, register=register)
add("nemo_rl")
add("nemo_rl.environments")
add("nemo_rl.environments.interfaces", EnvironmentInterface=Plain, EnvironmentReturn=Plain)
