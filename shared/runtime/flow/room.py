"""How much a process may hold: what it may take up, what may wait here, and which partitions are not to be read now.

Nothing that waits may keep others from the handler: not a dependency that is away, not a long retry, not a large file.
All are functions of the shares as they stand; whoever calls holds their lock.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from shared.core.event import Partition
from shared.core.progress import MAX_INCOMPLETE
from shared.runtime.flow.share import Share, Taken

NOTHING: frozenset[Partition] = frozenset()


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a process holds at once."""

    records: int = 1500
    """Records taken up, not done, and not waiting; half as many may wait for a dependency."""
    size: int = 64 << 20
    """Their bytes; half as many may wait for a dependency, and half as many in retry and parked topics."""
    in_flight: int = 256
    """Slow records at work at once."""
    slow: bool = False
    """So slow that a partition whose records are taken up last would wait for long."""


def limits_for(in_flight: int) -> Limits:
    """The limits of a process that works on so many slow records at once.

    Four times as many are taken up: at work, waiting for the ledger, finished and not committed, and next in line.
    More would only stand here, before those of a partition that is taken over later. A partition's progress has limits
    of its own: more in flight than `MAX_INCOMPLETE` needs more partitions.
    """
    return Limits(records=max(100, 4 * in_flight), in_flight=in_flight, slow=True)


def room(limits: Limits, shares: Collection[Share], held: Collection[Partition]) -> int:
    """How many more records may be taken up; from partitions that are held back none comes.

    What waits takes nobody's place: a burst of retries would stop all else for as long as it waits.
    """
    waiting = sum(share.waiting_bytes for share in shares)
    if sum(share.held_bytes for share in shares) - waiting >= limits.size or waiting >= limits.size:
        return 0
    # More than half can wait only where the stage lives by one thing, and nothing else could be done meanwhile.
    if sum(share.waiting for share in shares if not share.comeback) >= limits.records:
        return 0
    # A poll may bring all its records from one partition.
    tightest = min((s.progress.room for s in shares if s.key not in held), default=limits.records)
    return min(tightest, limits.records - sum(share.active for share in shares))


def may_wait(limits: Limits, shares: Iterable[Share], taken: Taken) -> bool:
    """Whether it may wait here: of what came for the first time, half the room and half a window at most.

    What was parked already waits where it is, for to park it again would change nothing.
    """
    fresh = [share for share in shares if not share.comeback]
    return taken.share.comeback or (
        sum(share.waiting for share in fresh) < limits.records // 2
        and sum(share.waiting_bytes for share in fresh) < limits.size // 2
        and taken.share.waiting < MAX_INCOMPLETE // 2
    )


def full(limits: Limits, shares: Collection[Share]) -> frozenset[Partition]:
    """Partitions of which nothing more may be taken up for now."""
    comebacks = [share for share in shares if share.comeback]
    parked = sum(share.parked for share in comebacks)

    def has_its_part(share: Share) -> bool:
        # No tier may take the room of another one.
        if share.waiting and share.waiting_bytes * len(comebacks) >= limits.size // 2:
            return True
        # Retries fall due by themselves; what is parked may wait for long, and more of it would only wait here too.
        return share.parked and share.waiting * parked >= limits.records // 2

    return frozenset(share.key for share in shares if share.progress.full or (share.comeback and has_its_part(share)))


def early(shares: Collection[Share], full: Collection[Partition]) -> frozenset[Partition]:
    """Partitions that are not to be read yet: younger records must not overtake what waits in their retry topics.

    As far as the window reaches: a retry partition that is full holds its input back no longer.
    """
    comebacks = [share for share in shares if share.comeback]
    unmet = {s.partition for s in comebacks if not s.caught_up and s.key not in full}
    return frozenset(s.key for s in shares if not s.comeback and s.partition in unmet)


def part(limits: Limits, shares: Iterable[Share]) -> float:
    """An input partition's part of the room."""
    return limits.records / max(sum(not share.comeback for share in shares), 1)


def give_way(
    limits: Limits, shares: Collection[Share], back: frozenset[Partition], behind: Callable[[], Collection[Partition]]
) -> frozenset[Partition]:
    """Partitions that have to stand back, given those that do and those that hold more than was polled.

    While something has come back to the stage, every input: it has to be here before it is due. While a partition has
    nothing at all, those with more than a quarter of their part. While one has less than half of its part, and little
    room is left, those with more than theirs. Who stands back already goes on to, until it is itself in want.
    """
    inputs = [share for share in shares if not share.comeback]
    own = part(limits, shares)
    full_up = room(limits, shares, NOTHING) <= limits.records // 2
    if not limits.slow or (not full_up and all(share.active <= own / 4 for share in inputs)):
        return NOTHING
    fulls = full(limits, shares)
    wanting = set(behind()) - fulls - early(shares, fulls)
    if full_up and any(share.comeback and share.key in wanting for share in shares):
        return frozenset(share.key for share in inputs)
    empty = {share.key for share in inputs if not share.active} & wanting
    poor = {share.key for share in inputs if full_up and share.active < own / 2} & wanting
    if not empty | poor:
        return NOTHING
    most = own / 4 if empty else own
    return (back | {share.key for share in inputs if share.active > most}) - (empty or poor)
