"""What the engine needs of Kafka: a group member that reads, and a writer of transactions.

    Owner          is told what is ours          implemented by the engine
    GroupMember    reads as a member of a group  `shared.kafka.subscription`, `shared.memory.kafka`
    Transactions   writes records and progress   `shared.kafka.transactions`, `shared.memory.kafka`
    Log            a topic as all know it        `shared.kafka.log`, `shared.memory.log`

One suite, `tests/contract/test_kafka.py`, holds both to the same promises, `tests/contract/test_log.py` the logs.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shared.core.delivery import Delivery
from shared.core.event import Partition


class Fenced(Exception):
    """Another process writes under this transactional id; this one must end and never come back under it."""


class TakenBack(Exception):
    """Kafka has lost what it had acknowledged; a process that begins where the group is now does that work anew."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record to be written, encoded."""

    topic: str
    """Where to."""
    key: bytes | None
    """Its key."""
    value: bytes | None
    """The event on the wire."""
    headers: Sequence[tuple[str, bytes]]
    """In this order."""
    partition: int | None
    """A fixed partition, or by key."""


@dataclass(frozen=True, slots=True)
class Offset:
    """Progress of one partition."""

    topic: str
    """Its topic."""
    partition: int
    """Its number."""
    offset: int
    """The first that is not done."""
    metadata: str
    """What else is not done, as `shared.core.progress` writes it."""


class Owner(Protocol):
    """Who works on the partitions; called on the polling thread, inside `poll` and `close`."""

    def assigned(self, offsets: Sequence[Offset]) -> Collection[Partition]:
        """These are ours now, from there on; gives those that are not to be read yet."""
        ...

    def revoked(self, partitions: Sequence[Partition]) -> None:
        """Bring these to an end; the group waits for the return."""
        ...

    def lost(self, partitions: Sequence[Partition]) -> None:
        """These are somebody else's already; forget them."""
        ...


class Group(Protocol):
    """A group in whose name progress is committed."""

    @property
    def member(self) -> Any:
        """The member's generation as of the last poll: a transaction of an older one is refused."""
        ...

    def reached(self, partitions: Sequence[Partition]) -> Sequence[Offset]:
        """What the group has committed there; -1 where that is nothing. Safe on any thread."""
        ...


@dataclass(frozen=True, slots=True)
class AsOf:
    """A group in the generation that its member had at one moment: once that is over, what is committed is refused."""

    member: Any
    """The generation."""
    group: Group
    """The group, whatever its generation is by now."""

    @classmethod
    def now(cls, group: Group) -> "AsOf":
        """As of this moment."""
        return cls(group.member, group)

    def reached(self, partitions: Sequence[Partition]) -> Sequence[Offset]:
        """What the group has committed there, whoever did."""
        return self.group.reached(partitions)


class GroupMember(Group, Protocol):
    """The reading side; one thread uses it. Reads what is committed, and nothing of a transaction that is open."""

    @property
    def since(self) -> float | None:
        """Monotonic time at which a call began that can hang for ever, where one runs."""
        ...

    def poll(self, most: int, seconds: float) -> Sequence[Delivery]:
        """What is there, waiting for the first record only; tells the owner what came and went."""
        ...

    def ended(self) -> Sequence[Partition]:
        """Partitions whose end the last polls have met."""
        ...

    def behind(self) -> frozenset[Partition]:
        """Partitions that hold more than the polls have brought, as far as the client knows without asking."""
        ...

    def pause(self) -> None:
        """Fetch nothing more."""
        ...

    def resume(self) -> None:
        """Fetch again, save from the partitions that are held back."""
        ...

    def hold_back(self, full: frozenset[Partition]) -> None:
        """Fetch nothing more from just these: one that can take no more must not stop the others."""
        ...

    def close(self) -> None:
        """Give everything back and leave the group."""
        ...


class Transactions(Protocol):
    """The writing side; one thread uses it."""

    @property
    def since(self) -> float | None:
        """Monotonic time at which a call began that can hang for ever, where one runs."""
        ...

    def open(self) -> None:
        """Take the transactional id; ends whatever its former holder left open, and fences it."""
        ...

    def commit(self, records: Sequence[Record], offsets: Sequence[Offset], group: Group) -> frozenset[Offset]:
        """One attempt to write records and progress together; gives the progress that is through.

        All of it: everything is written. None: nothing is, keep the results, poll, try again. Some: it was unknown how
        the attempt ended, and of partitions that others have meanwhile the answer says nothing. Raises Fenced, and
        TakenBack where an earlier attempt that was through is so no more.
        """
        ...


class Log(Protocol):
    """A compacted topic of one partition, read whole and then followed, by each for himself; one thread uses it.

    What is told twice is told in the same order, so the last word under a key is always the same one.
    """

    @property
    def whole(self) -> bool:
        """Everything that was there when the reading began has been given."""
        ...

    def poll(self, seconds: float) -> Sequence[tuple[bytes, bytes | None]]:
        """Keys and values that came, as soon as there are any. Raises Unavailable; the next call goes on from there."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...
