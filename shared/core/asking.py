"""What asking a chain of models comes to where there is no answer: two errors that tell every request that was made."""

from shared.core.context import Call
from shared.core.errors import Failed, Unavailable
from shared.core.failures import Failure, Remedy
from shared.core.remedies import DEFAULT, heals


class ModelFailed(Failed):
    """No model of the chain could answer."""

    def __init__(
        self,
        failure: Failure,
        message: str,
        after: float | None = None,
        calls: tuple[Call, ...] = (),
        remedy: Remedy | None = None,
    ) -> None:
        super().__init__(failure, message, after)
        self.calls = calls
        """Every request that was made: it may have to be paid."""
        self.remedy = remedy or DEFAULT.of(failure)
        """What the pipeline does about the class."""

    @property
    def heals(self) -> bool:
        """Whether the same question may be answered another time."""
        return heals(self.failure, self.remedy)


class ModelUnavailable(Unavailable):
    """A model that could have answered is away, and no other could."""

    def __init__(self, dependency: str, message: str, after: float = 1.0, calls: tuple[Call, ...] = ()) -> None:
        super().__init__(dependency, message, after)
        self.calls = calls
        """Every request that was made: it may have to be paid."""
