"""One webhook: where it is, what it wants to hear, in which words, and how long it is tried for."""

from dataclasses import dataclass, field

from shared.core.webhooks.body import Words
from shared.core.webhooks.notice import BATCH, Notice


@dataclass(frozen=True, slots=True)
class Patience:
    """How a delivery is tried."""

    timeout: float = 15.0
    """Seconds that one try may take, from the connection to the last byte that is read of the answer."""
    attempts: int = 20
    """Tries; then it is given up."""
    hours: float = 24.0
    """Hours after which it is given up, however often it was tried."""
    first: float = 5.0
    """Seconds until the second try; each pause is three times the one before."""
    longest: float = 7200.0
    """Longest pause in seconds."""


@dataclass(frozen=True, slots=True)
class Hook:
    """One receiver."""

    name: str
    """Its name in messages, metrics and tables."""
    url: str = field(repr=False)
    """Where it listens. Of some receivers the address is the secret."""
    on: frozenset[str]
    """Ends of documents, and `batch`."""
    words: Words
    """How it is told."""
    secrets: tuple[bytes, ...] = field(default=(), repr=False)
    """What its requests are signed with."""
    tenants: frozenset[str] = frozenset()
    """Only of their documents; none: of everybody's."""
    types: frozenset[str] = frozenset()
    """Only of documents of these types; batches are told all the same."""
    patience: Patience = Patience()
    """How it is tried."""
    at_once: int = 4
    """Requests that may be open at the same time."""

    def wants(self, notice: Notice) -> bool:
        """Whether it is to be told. What cannot be read has no tenant, and is for those alone who hear of all."""
        if notice.on not in self.on:
            return False
        if notice.on == BATCH:
            return True
        return (not self.tenants or notice.tenant in self.tenants) and (
            not self.types or notice.document_type in self.types
        )
