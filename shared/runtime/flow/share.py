"""One assigned partition as the process that works on it knows it, and the records it has taken up from there."""

from dataclasses import dataclass
from datetime import datetime

from shared.core import poison
from shared.core.delivery import Delivery
from shared.core.event import Partition
from shared.core.lanes import Origin
from shared.core.poison import CALM, Suspicion
from shared.core.progress import Progress, read
from shared.kafka_port import Offset, Record


@dataclass(slots=True, eq=False)
class Share:
    """One assigned partition."""

    topic: str
    partition: int
    progress: Progress
    suspicion: Suspicion = CALM
    """What is known of crashes, as the last commit says it; before the first one, as the owner before left it."""
    wanted: Suspicion = CALM
    """What the next commit is to say of crashes."""
    suspects: int = 0
    """Records after which everything that may have been in hand when the owner before ended is done."""
    alive: bool = True
    """Still ours."""
    draining: bool = False
    """Leaving: what runs may end, nothing more is begun."""
    running: int = 0
    """Records that a handler is at work on."""
    done: int = 0
    """Records that are done. What came back and waits is none of them: it would lift a suspicion while it hides what
    comes behind it."""
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

    @classmethod
    def taken_over(cls, start: Offset, in_flight: int) -> "Share":
        """The share of a new owner, of which at most `in_flight` slow records run at once."""
        _, incomplete, left = read(start.offset, start.metadata)
        found = poison.taken_over(left, start.offset)
        progress = Progress(start.offset, start.metadata)
        suspects = len(incomplete) + poison.suspects(in_flight, found)
        return cls(start.topic, start.partition, progress, found, found, suspects)

    @property
    def key(self) -> Partition:
        """Topic and number."""
        return self.topic, self.partition

    @property
    def changed(self) -> bool:
        """Something is to be told that no commit has told."""
        return self.progress.dirty or self.wanted != self.suspicion

    @property
    def in_hand(self) -> bool:
        """Some of its records were begun and are not committed."""
        return bool(self.running or self.uncommitted)

    @property
    def active(self) -> int:
        """Its records that are taken up, not done, and not waiting."""
        return self.progress.incomplete - self.waiting

    def wait(self, size: int) -> None:
        """A record waits, and takes nobody's place meanwhile."""
        self.waiting += 1
        self.waiting_bytes += size

    def go_on(self, size: int) -> None:
        """Its waiting is over."""
        self.waiting -= 1
        self.waiting_bytes -= size

    def rest(self, offset: int, size: int) -> None:
        """A handler came back from a record that waits, and is to be begun again."""
        self.running -= 1
        self.wait(size)
        if offset == self.wanted.running:
            self.wanted = poison.naming(self.wanted, None)

    def finish(self) -> None:
        """A handler is done with a record."""
        self.running -= 1
        self.done += 1
        self.uncommitted += 1

    def complete(self, offset: int) -> None:
        """A record is done."""
        self.progress.complete(offset)
        self.wanted = poison.completed(self.wanted, offset)

    def tell(self) -> "Told":
        """What a commit says of it now."""
        if self.wanted.crashes and self._cleared:
            self.wanted = poison.lifted(self.wanted)
        self.progress.dirty = False
        offset = Offset(self.topic, self.partition, *self.progress.snapshot(self.wanted))
        return Told(self, offset, self.wanted)

    @property
    def _cleared(self) -> bool:
        """Whether all suspects are done. A sentence that is passed is carried out first: forgotten, it would be run."""
        guilty = poison.condemned(self.wanted)
        if guilty is not None and self.progress.pending(guilty):
            return False
        return bool(self.done) and (self.progress.idle or self.done >= self.suspects)


@dataclass(frozen=True, slots=True)
class Told:
    """What a commit says of a share."""

    share: Share
    offset: Offset
    suspicion: Suspicion


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand in a process."""

    held: int
    """Records taken up and not committed."""
    waiting: int
    """Those of them that wait: until they are due, for a dependency, behind an older one of their key."""
    in_retry: int
    """Those of them that came from a retry topic."""
    paused: bool
    """Nothing is begun, by an operator's word."""
    window: int
    """Slow records that may be in hand at once."""
    suspected: int
    """Partitions whose owners crashed, and where the record that did it is looked for."""
    span: int
    """Offsets from a partition's low watermark to what was fetched of it, of the partition with the most."""
    oldest: datetime | None
    """When Kafka got the oldest unfinished record."""


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """A record this process has taken up."""

    share: Share
    delivery: Delivery
    verdict: str = ""
    """Why it must not be run: it kills its process. Empty for any other."""

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
