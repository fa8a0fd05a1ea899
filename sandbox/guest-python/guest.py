"""The Python side of the sandbox: runs what a reward reaches of its file, and calls it as its trainer does.

Everything here is imported once, when the interpreter is built, and frozen into its memory image. At run time there are no
files, no clock and no entropy: what would ask for them ends the call. Nothing in this file protects the host, for the file
shares its interpreter with the candidate; the walls are WebAssembly's. It only makes ordinary mistakes readable.
"""

import gc
import marshal
import random
import sys

import wit_world
from calling import stub_logging
from componentize_py_types import Err

# Before anything imports it.
sys.modules["logging"] = stub_logging
import headstart  # noqa: E402
import mutants  # noqa: E402
import walls  # noqa: E402
from calling import batch, candidate, seeded, shapes, steady  # noqa: E402
from calling.refused import Refused  # noqa: E402
from calling.standins import verification  # noqa: E402
from printed import Printed  # noqa: E402


class WitWorld(wit_world.WitWorld):
    """The exports. componentize-py makes an object for each, so what they share belongs to the class."""

    reward = None

    def functions(self, source):
        seal()
        return self._answer(lambda: candidate.rewards(source))

    def load(self, source, function, signature):
        def load():
            checked = candidate.Checked(source, function)
            stored = marshal.dumps(checked.code)
            reward = candidate.Reward(checked.name, candidate.run(checked.code, source), signature)
            answer = any(map(reward.takes, shapes.ANSWERS))
            return wit_world.Loaded(
                checked.name,
                stored,
                reward.takes("prompts"),
                answer,
                reward.takes("correct"),
                reward.takes("extracted"),
                checked.content,
                reward.shape.shape,
                shapes.WORDS[reward.shape.shape],
                checked.notes,
                checked.left_out,
            )

        seal()
        return self._answer(load)

    def mutants(self, source, function, most):
        def changed():
            tree = candidate.Checked(source, function).tree
            return [wit_world.Mutant(line, change, code) for line, change, code in mutants.of(tree, source, most)]

        seal()
        return self._answer(changed)

    def known(self, questions, answers):
        verification.answered(questions, answers)

    def asked(self):
        return list(verification.asked)

    def restore(self, code, source, function, signature, patterns):
        def restore():
            headstart.restore(patterns)
            WitWorld.reward = candidate.Reward(function, candidate.run(marshal.loads(code), source), signature)

        seal()
        return self._answer(restore)

    def learn(self, code, source, function, signature, typical):
        def learn():
            columns = batch.columns(typical)
            columns["guess"] = shapes.guessing[0] = True
            run = candidate.run
            return headstart.learned(lambda: candidate.Reward(function, run(marshal.loads(code), source), signature).components(columns))

        seal()
        return self._answer(learn)

    def steady(self, code, source, function, signature, patterns, samples, guess):
        def columns(count):
            made = batch.columns(samples, count)
            return made | {"guess": True} if guess else made

        def check():
            headstart.restore(patterns)
            shapes.guessing[0] = guess
            run = candidate.run
            steady.check(
                lambda: candidate.Reward(function, run(marshal.loads(code), source), signature),
                columns,
                lambda: candidate.Checked(source, function).tree,
            )

        seal()
        return self._answer(check)

    def score(self, samples):
        columns = batch.columns(samples)

        def score():
            components = WitWorld.reward.components(columns)
            return wit_world.Scores(
                [wit_world.Component(name, values) for name, values in components.items()], sys.stdout.text()
            )

        return self._answer(score)

    def _answer(self, work):
        """Whatever goes wrong in `work`, as a value: an exception that left this class would only be a trap."""
        try:
            return work()
        except Refused as refused:
            failure = refused
        except BaseException as error:
            failure = candidate.exception(error)
        raise Err(wit_world.Failure(failure.kind, failure.message, failure.line, failure.index, failure.found))


def seal():
    """Lets Python itself refuse what the sandbox does not have, where it announces it: an exception instead of a trap."""
    sys.addaudithook(walls.absent)


# What other modules draw from begins with the same numbers, too.
seeded.install(random)
walls.build(random, seeded.random)
sys.stdout = sys.stderr = Printed()
# What exists now lives as long as the interpreter: the collector need not look at it, nor touch its memory.
gc.collect()
gc.freeze()
# A batch makes few objects in cycles: collecting after every two thousand objects would cost more than it frees.
gc.set_threshold(50_000)
