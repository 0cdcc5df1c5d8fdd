"""What ports raise, in three families; one layer of the runtime turns the first two into outcomes.

PenstockError
├── Failed          something failed, and its class says whether it heals
├── Unavailable     a dependency is away: wait for it, spend no attempt
└── Misconfigured   we are wrong, not the document: stop and say what to mend
"""

from shared.core.failures import Failure


class PenstockError(Exception):
    """Root of all errors that Penstock raises on purpose."""


class Failed(PenstockError):
    """Something failed for this document; the class decides what is done about it."""

    def __init__(self, failure: Failure, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.failure = failure
        self.message = message
        self.after = after
        """Seconds the other side asked to wait."""


class Unavailable(PenstockError):
    """A dependency is away; whoever needs it waits."""

    def __init__(self, dependency: str, message: str, after: float = 1.0) -> None:
        super().__init__(message)
        self.dependency = dependency
        self.message = message
        self.after = after
        """Seconds until it is worth looking again."""


class Misconfigured(PenstockError):
    """A setting or a pipeline is wrong; the message names the thing, the value and the remedy."""
