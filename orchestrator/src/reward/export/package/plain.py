"""Rewards in Python, run as plain Python in this process: NOT sandboxed. In the search they ran in CPython inside WebAssembly.

The file is what was screened. What of it is run, which modules it finds, and how its function is called is the sandbox's own doing: the package
`calling` is the one that runs there. So scores are those of the search, but for what this interpreter does otherwise: what `math` takes from the
system's C library (exp, log, pow, …) may differ in the last bit, and sets of texts have an order of their own in every process.
"""

import decimal
from types import SimpleNamespace

from .calling import batch, candidate, seeded
from .calling.refused import Refused
from .calling.standins import verification
from .locks import Lock
from .sandbox import RewardFault, check_sizes, contents, finite, text_length

#: What the search calls the faults that the guest tells of.
KINDS = {"exception": "exception", "length": "wrong_length", "column": "not_there", "absent": "not_there"}
#: The stand-ins for modules, and random numbers, are there once for all rewards.
_one_at_a_time = Lock()


class PythonReward:
    """A reward function in a file of this folder, run in this interpreter."""

    of_groups = False

    def __init__(self, member):
        self.name, self.call = member["function"], member["call"]
        # The first line names the interpreter that the file was packed for.
        self.source = contents(member["wasm"], member["wasm_sha256"]).decode().partition("\n")[2]
        self.code = self._guarded(lambda: candidate.Checked(self.source, self.call["function"]).code)

    def scores(self, samples):
        """One finite number a sample. Raises `RewardFault`; its index is the first sample that fails alone."""
        check_sizes(self.name, (text_length(sample) + len(sample.row.encode()) for sample in samples))
        try:
            return self._scores(samples)
        except RewardFault as fault:
            if len(samples) > 1:
                for index, sample in enumerate(samples):
                    try:
                        self._scores([sample])
                    except RewardFault as alone:
                        raise RewardFault(alone.kind, self.name, index, alone.message) from None
            raise fault from None

    def _scores(self, samples):
        columns = batch.columns(
            SimpleNamespace(
                conversational=self.call["conversational"],
                prompts=[sample.prompt for sample in samples],
                completions=[sample.completion for sample in samples],
                answer=[sample.answer for sample in samples],
                correct=[int(sample.correct) for sample in samples],
                extracted=[sample.extracted for sample in samples],
                rows=[sample.row or "{}" for sample in samples] if any(sample.row for sample in samples) else [],
            )
        )
        verification.asked.clear()
        parts = self._guarded(lambda: self._loaded().components(columns))
        if verification.asked:
            raise RewardFault("not_there", self.name, 0, "asks `math_verify`, which is answered in the sandbox only: score with `reward-search score --stdio`")
        total = [0.0] * len(samples)
        for values in parts.values():
            total = [sum + value for sum, value in zip(total, finite(self.name, values), strict=True)]
        return finite(self.name, total)

    def _loaded(self):
        """The function of the file, which is run anew: as in the search, nothing is remembered from one batch to the next."""
        seeded.random.seed(0)
        namespace = candidate.run(self.code, self.source, f"{__package__}.python_{self.name}")
        return candidate.Reward(self.call["function"], namespace, self.call["signature"])

    def _guarded(self, work):
        """What the work comes to, alone and with the decimal numbers of a fresh interpreter; whatever goes wrong is a fault."""
        with _one_at_a_time.held(), decimal.localcontext(decimal.Context()):
            try:
                return work()
            except Refused as refused:
                failure = refused
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                failure = candidate.exception(error)
        raise RewardFault(KINDS.get(failure.kind, "wrong_return"), self.name, failure.index or 0, failure.message)
