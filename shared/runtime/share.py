"""One assigned partition of a process, and the records taken up from it."""

from dataclasses import dataclass

from shared.core.delivery import Delivery
from shared.core.lanes import Origin
from shared.core.progress import Progress
from shared.kafka.transactions import Record


@dataclass(slots=True, eq=False)
class Share:
    """One assigned partition."""

    topic: str
    partition: int
    progress: Progress
    alive: bool = True
    """Still ours."""
    draining: bool = False
    """Leaving: what runs may end, nothing more is begun."""
    running: int = 0
    """Records that a handler is at work on."""
    uncommitted: int = 0
    """Finished records whose transaction is not through."""
    waiting: int = 0
    """Records taken up that wait: until they are due, for a dependency, behind an older one of their key."""
    held_bytes: int = 0
    """Size of the records taken up and not done."""
    waiting_bytes: int = 0
    """Size of those that wait."""
    comeback: bool = False
    """Of a retry topic or the parked one: its records were at this stage before."""
    parked: bool = False
    """Of the parked topic."""
    caught_up: bool = False
    """It was read to its end at least once."""


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """A record this process has taken up."""

    share: Share
    delivery: Delivery

    @property
    def wanted(self) -> bool:
        """Whether it may still be begun here."""
        return self.share.alive and not self.share.draining

    @property
    def key(self) -> bytes | None:
        """The document it is about."""
        return self.delivery.key

    @property
    def origin(self) -> Origin:
        """Its age among the records of its key."""
        return self.delivery.origin.partition, self.delivery.origin.offset

    @property
    def size(self) -> int:
        """Bytes it keeps in memory."""
        return len(self.delivery.value or b"")


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """A record with everything that is to be written about it."""

    taken: Taken
    records: tuple[Record, ...] = ()
