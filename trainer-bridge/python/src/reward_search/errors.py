"""What can go wrong, by what the caller does next."""

from __future__ import annotations


class RewardSearchError(Exception):
    """The base of everything this package raises on its own account."""


class ProgramMissing(RewardSearchError):
    """The program `reward-search` is not where it was looked for."""


class ProgramFailed(RewardSearchError):
    """The program ended with an error of its own. `code` is its exit code: 2 if the input is at fault, 1 if the machine is."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type[ProgramFailed], tuple[str, int | None]]:
        return type(self), (str(self), self.code)


class ServerNotStarted(ProgramFailed):
    """A scoring process ended before it was ready; the message is the process's own."""


class ServerDied(ProgramFailed):
    """A scoring process ended, or did not answer in time, and so did the one started in its place."""


class RequestRefused(RewardSearchError):
    """A scoring process could not make sense of a request."""


class HostTrouble(RewardSearchError):
    """The sandbox or a model that judges failed: no verdict on the reward, and worth another try."""


class RewardFault(RewardSearchError):
    """A reward went wrong on a batch.

    `kind` is the protocol's word (`out_of_fuel`, `not_finite`, …), `reward` the reward at fault, and `index` the place in the batch of
    the completion it failed on, where it is one.
    """

    def __init__(self, message: str, kind: str, reward: str | None = None, index: int | None = None) -> None:
        super().__init__(message)
        self.message, self.kind, self.reward, self.index = message, kind, reward, index

    def __str__(self) -> str:
        return f"reward `{self.reward}`: {self.message}" if self.reward else self.message

    def __reduce__(self) -> tuple[type[RewardFault], tuple[str, str, str | None, int | None]]:
        return type(self), (self.message, self.kind, self.reward, self.index)
