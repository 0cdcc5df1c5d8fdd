"""How some calls of a dependency ended, counted by what each failure says of it.

blamed     it did not do its work               five in a row are an outage
useless    it answered, and nothing came of it  a few are the documents' fault, nearly all of many its own
any other  a good answer, or the document was bad
"""

from dataclasses import dataclass, replace

from shared.core.failures import PROVIDERS, Failure

BLAMED = PROVIDERS | {Failure.BUDGET_EXCEEDED, Failure.STORE_UNAVAILABLE}
"""Classes that speak against the dependency. Any other failure is an answer: a bad document must not stop good ones."""

USELESS = frozenset(
    {
        Failure.REFUSAL,
        Failure.CONTENT_POLICY,
        Failure.MALFORMED_JSON,
        Failure.SCHEMA_VIOLATION,
        Failure.TRUNCATED,
    }
)
"""Answers of no use. One says little, for documents are at fault too; where hardly any other comes, the model is."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How some calls ended, in the order in which they did."""

    ok: int = 0
    """Calls that were answered, usefully or not."""
    failed: int = 0
    """Calls in which the dependency did not do its work."""
    tail: int = 0
    """Failures in a row at their end; as many as failed after the last answer that ended a run, or more."""
    last: str = ""
    """Class of the last failure."""
    useless: int = 0
    """Answers of no use."""
    declined: str = ""
    """Class of the last of them."""
    ends: bool = False
    """An answer among them ended a run of failures."""

    def plus(self, failure: Failure | None, *, row: int = 0, outlived: bool = False) -> "Tally":
        """One call more. `row`: failures in a row by when they began; `outlived`: it is answered and ends no row."""
        if failure in BLAMED:
            return replace(self, failed=self.failed + 1, tail=max(self.tail + 1, row), last=failure.value)
        answered = replace(self, ok=self.ok + 1)
        if not outlived:
            answered = replace(answered, tail=0, ends=True)
        return replace(answered, useless=self.useless + 1, declined=failure.value) if failure in USELESS else answered

    def __bool__(self) -> bool:
        return self.ok + self.failed > 0
