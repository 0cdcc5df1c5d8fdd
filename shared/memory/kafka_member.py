"""A member of a group of the Kafka in memory."""

from collections.abc import Sequence
from typing import Any

from shared.core.delivery import Delivery
from shared.core.event import Partition
from shared.kafka_port import Offset, Owner
from shared.memory.kafka import Membership, MemoryGroup, MemoryKafka


class MemoryMember:
    """Reads as a member of a group; one thread uses it. Implements `GroupMember`."""

    since: float | None = None
    """Nothing hangs here."""

    def __init__(self, kafka: MemoryKafka, group: str, topics: Sequence[str], owner: Owner) -> None:
        self._kafka, self._name, self._owner = kafka, group, owner
        self._group: MemoryGroup = kafka.groups[group]
        self._group.partitions = [(topic, kafka.topics[topic]) for topic in topics]
        self._id = 0
        self.member: Any = None
        """Group, id and generation, as of the last poll."""
        self._positions: dict[Partition, int] = {}
        self._held: frozenset[Partition] = frozenset()
        self._met: set[Partition] = set()
        self._ended: list[Partition] = []
        self._paused = False

    def poll(self, most: int, seconds: float) -> list[Delivery]:
        """What is there, partition by partition; tells the owner what came and went."""
        while self._told():
            continue
        with self._kafka.changed:
            self.member = (self._name, self._id, self._group.generation)
            self._kafka.changed.wait_for(lambda: self._next(1), seconds)
            found = self._next(most)
            for delivery in found:
                place = delivery.position
                self._positions[place.topic, place.partition] = place.offset + 1
                self._met.discard((place.topic, place.partition))
            self._note_ends()
            return found

    def ended(self) -> list[Partition]:
        """Partitions whose end the last polls have met, each once until something new comes."""
        ended, self._ended = self._ended, []
        return ended

    def behind(self) -> frozenset[Partition]:
        """Partitions that hold more than the polls have brought."""
        with self._kafka.changed:
            return frozenset(key for key in self._positions if self._more(key))

    def _more(self, key: Partition) -> bool:
        return any(self._kafka.readable(key, self._positions[key]))

    def _note_ends(self) -> None:
        for key in self._free:
            if key not in self._met and not self._more(key):
                self._met.add(key)
                self._ended.append(key)

    @property
    def _free(self) -> list[Partition]:
        return [] if self._paused else [key for key in self._positions if key not in self._held]

    def _next(self, most: int) -> list[Delivery]:
        return [each for key in self._free for each in self._kafka.readable(key, self._positions[key])][:most]

    def _told(self) -> bool:
        """Go one step with the group; False where there is none to go. The owner is called without the lock."""
        mine, known = list(self._positions), self._group.members.get(self._id)
        if known is None:
            if mine:
                self._owner.lost(mine)
            self._id = next(self._kafka.ids)
            self._change(Membership(), joins=True)
        elif self._group.rebalancing and not known.ready:
            if mine:
                self._owner.revoked(mine)
            self._change(known, joins=False)
        elif known.given is not None:
            self._take(known)
        else:
            return False
        return True

    def _change(self, known: Membership, *, joins: bool) -> None:
        with self._kafka.changed:
            self._positions = {}
            if joins:
                self._group.members[self._id] = known
                self._group.rebalance()
            known.ready = True
            self._group.settle()

    def _take(self, known: Membership) -> None:
        with self._kafka.changed:
            starts = [self._group.committed.get(key, Offset(*key, 0, "")) for key in known.given or ()]
            known.given = None
        held = self._owner.assigned(starts)
        self._positions = {(start.topic, start.partition): start.offset for start in starts}
        self._held, self._paused = frozenset(held) & self._positions.keys(), False
        self._met.clear()

    def reached(self, partitions: Sequence[Partition]) -> list[Offset]:
        """What the group has committed there."""
        with self._kafka.changed:
            return [self._group.committed.get(key, Offset(*key, -1, "")) for key in partitions]

    def pause(self) -> None:
        """Read nothing more."""
        self._paused = True

    def resume(self) -> None:
        """Read again, save from what is held back."""
        self._paused = False

    def hold_back(self, full: frozenset[Partition]) -> None:
        """Read nothing more from just these."""
        self._held = full

    def close(self) -> None:
        """Give everything back and leave."""
        if self._positions and self._id in self._group.members:
            self._owner.revoked(list(self._positions))
        self._positions = {}
        self.expire()

    def expire(self) -> None:
        """Be given up by the group, as one that was not heard of for a session."""
        with self._kafka.changed:
            if self._group.members.pop(self._id, None):
                self._group.rebalance()
