"""Processes that are killed, by a record or by hand, and started again: real shares, a made-up log and broker."""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from shared.kafka_port import Offset
from shared.runtime.flow.room import Limits
from shared.runtime.flow.share import Finished, Taken
from shared.runtime.flow.shares import Shares
from tests.unit.records import TOPIC, delivery

Place = tuple[int, int]
"""Partition and offset."""


@dataclass
class Log:
    """Some partitions with gaps in their offsets, and what is committed of them."""

    records: list[Place]
    committed: dict[int, Offset]

    @classmethod
    def of(cls, dice: Random, partitions: int, records: int) -> "Log":
        """So many records in all, spread at random."""
        ends = [dice.randrange(10) for _ in range(partitions)]
        committed = {number: Offset(TOPIC, number, end, "") for number, end in enumerate(ends)}
        places = []
        for _ in range(records):
            partition = dice.randrange(partitions)
            places.append((partition, ends[partition]))
            ends[partition] += dice.choice((1, 1, 1, 2))
        return cls(places, committed)


@dataclass
class Ended:
    """What became of a log."""

    done: Counter[Place] = field(default_factory=Counter)
    condemned: set[Place] = field(default_factory=set)
    crashes: int = 0
    narrowest: int = 1 << 30


class Killed(Exception):
    """The process is no more."""


@dataclass
class Process:
    """One life: takes everything up at once, and does what the dice say until it is killed or done."""

    log: Log
    bad: set[Place]
    dice: Random
    in_flight: int
    at_once: bool
    held: float
    ended: Ended

    def live(self, steps: int) -> None:
        """Work for so many steps at most. Raises Killed."""
        shares = Shares(Limits(in_flight=self.in_flight))
        shares.add(self.log.committed.values())
        waiting = deque(shares.take(delivery(offset, partition=number) for number, offset in self.log.records))
        running: list[Taken] = []
        while waiting or running or any(share.in_hand for share in shares._shares.values()):
            if not (steps := steps - 1):
                raise Killed
            self.ended.narrowest = min(self.ended.narrowest, shares.standing().window)
            match self.dice.randrange(3):
                case 0:
                    running += self.begin(shares, waiting, self.in_flight - len(running))
                case 1 if running:
                    one = running.pop(self.dice.randrange(len(running)))
                    if self.dice.random() < self.held and not self.kills(one):
                        shares.rest(one)
                        shares.go_on(one)
                        waiting.append(one)
                    else:
                        self.finish(shares, one)
                case _:
                    self.commit(shares)
        assert shares.drain(None, 0)
        self.commit(shares)
        assert not any(share.suspicion.open for share in shares._shares.values())

    def begin(self, shares: Shares, waiting: deque[Taken], most: int) -> list[Taken]:
        begun, _ = shares.begin_next(waiting, most)
        self.check_marks(begun)
        if self.at_once and any(self.kills(one) for one in begun):
            raise Killed
        return begun

    def check_marks(self, begun: Iterable[Taken]) -> None:
        """Nothing runs in a partition of which no commit says that it is open."""
        for one in begun:
            assert one.share.suspicion.open

    def kills(self, one: Taken) -> bool:
        return not one.verdict and place(one) in self.bad

    def finish(self, shares: Shares, one: Taken) -> None:
        if self.kills(one):
            raise Killed
        shares.finish([Finished(one)])

    def commit(self, shares: Shares) -> None:
        ours, told = shares.complete(shares.await_finished(0, 1000))
        self.log.committed |= {one.offset.partition: one.offset for one in told}
        self.ended.done.update(place(one.taken) for one in ours)
        self.ended.condemned |= {place(one.taken) for one in ours if one.taken.verdict}
        shares.committed(ours, told)


def place(one: Taken) -> Place:
    """Where it stands."""
    return one.delivery.position.partition, one.delivery.position.offset


def work_off(
    log: Log,
    bad: set[Place],
    dice: Random,
    in_flight: int,
    *,
    at_once: bool = True,
    held: float = 0.0,
    kills: Iterable[int] = (),
) -> Ended:
    """Start a process again whenever one was killed, until all is done.

    What kills does it `at_once` or after a while. `held` is the share of tries after which a record waits for
    something; `kills` are numbers of steps after which a process is killed by hand.
    """
    ended, by_hand = Ended(), deque(kills)
    while True:
        try:
            Process(log, bad, dice, in_flight, at_once, held, ended).live(by_hand.popleft() if by_hand else -1)
            return ended
        except Killed:
            ended.crashes += 1
            assert ended.crashes < 1000, "it never ends"
