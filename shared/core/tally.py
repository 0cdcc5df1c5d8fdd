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
class Standing:
    """Where a call that has ended stands among the others of its process, by when they began."""

    row: int = 0
    """It failed: failures in a row."""
    newest: bool = True
    """Next to nothing that began later is under way, so that failures elsewhere and these are one row."""
    outlived: bool = False
    """It is answered, and a row that began later goes on."""
    open: int = 0
    """Calls of the process that are still under way."""


ALONE = Standing()
"""Nobody counts, or there is no other."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How some calls ended, in the order in which they did."""

    ok: int = 0
    """Calls that were answered, usefully or not."""
    failed: int = 0
    """Calls in which the dependency did not do its work."""
    tail: int = 0
    """Failures in a row at their end."""
    last: str = ""
    """Class of the last failure."""
    useless: int = 0
    """Answers of no use."""
    declined: str = ""
    """Class of the last of them."""
    ends: bool = False
    """An answer among them ended a run of failures."""
    longer: int = 0
    """By how many the failures at their end lengthen a run that others have begun."""
    open: int = 0
    """Calls that were still under way at their end: nobody knows yet what they will say."""

    def plus(self, failure: Failure | None, at: Standing = ALONE) -> "Tally":
        """One call more."""
        if failure in BLAMED:
            tail, longer = max(self.tail + at.newest, at.row), self.longer + at.newest
            return replace(self, failed=self.failed + 1, tail=tail, last=failure.value, longer=longer, open=at.open)
        answered = replace(self, ok=self.ok + 1, open=at.open)
        if not at.outlived:
            answered = replace(answered, tail=0, longer=0, ends=True)
        return replace(answered, useless=self.useless + 1, declined=failure.value) if failure in USELESS else answered

    def __bool__(self) -> bool:
        return self.ok + self.failed > 0
