"""How far a partition has been worked off when records finish out of order.

What is committed is the lowest incomplete offset, and in the commit's metadata what is *incomplete* below the highest
completed one. Incomplete, never the completed ones counted: transaction markers and compaction leave gaps, and a gap
looks just like a record that is not done. A restart therefore repeats nothing that was committed.

Format: `1` + base64(varint(high - base), varint gaps between the incomplete offsets). A gap takes two bytes below
16,384 and three below 2,097,152, so two caps on what is admitted (`MAX_INCOMPLETE`, `MAX_SPAN`) make it always fit.
`2` + base64(what is known of crashes (`shared/core/poison.py`), then the same) where there is such a thing.
"""

import base64
from collections.abc import Iterable
from datetime import datetime
from itertools import accumulate

from shared.core.poison import CALM, Suspicion, from_numbers, numbers

LIMIT = 4095
"""Characters of metadata that a broker takes by default; 4,096 is refused (measured)."""
MAX_INCOMPLETE = 1400
"""Incomplete records of one partition beyond which nothing more is admitted."""
MAX_SPAN = 1 << 21
"""Offsets from the lowest incomplete one beyond which nothing more is admitted: at most 128 gaps need a third byte."""
LEAST_ROOM = 50
"""Room below which a partition counts as full: polls of a few records each would cost more than they bring."""
PLAIN, SUSPICIOUS = "1", "2"
"""First character of the two forms."""


def encode(base: int, high: int, incomplete: Iterable[int], suspicion: Suspicion = CALM) -> str:
    """What is incomplete from `base` to `high`, both included; `incomplete` is sorted."""
    raw, previous = bytearray(), base
    if suspicion != CALM:
        for number in numbers(suspicion, base):
            _put(raw, number)
    if high >= base:
        _put(raw, high - base)
        for offset in incomplete:
            if offset > high:
                break
            _put(raw, offset - previous)
            previous = offset
    form = PLAIN if suspicion == CALM else SUSPICIOUS
    return form + base64.b64encode(bytes(raw)).decode() if raw else ""


def read(base: int, metadata: str) -> tuple[int, frozenset[int], Suspicion]:
    """Highest completed offset, what is incomplete below it, and what is known of crashes.

    Metadata that we did not write (tools that move offsets leave notes there) counts as none: a repeat is recognised
    downstream, while an error would end the service again at each start.
    """
    nothing = (base - 1, frozenset[int](), CALM)
    form, coded = metadata[:1], metadata[1:]
    if form not in (PLAIN, SUSPICIOUS):
        return nothing
    try:
        found = iter(_numbers(base64.b64decode(coded, validate=True)))
        suspicion = from_numbers(found, base) if form == SUSPICIOUS else CALM
    except (ValueError, StopIteration):
        return nothing
    distance, gaps = next(found, -1), list(found)
    incomplete = list(accumulate(gaps, initial=base))[1:]
    ours = distance < 0 or incomplete[:1] == [base]
    if not ours or encode(base, base + distance, incomplete, suspicion) != metadata:
        return nothing
    return base + distance, frozenset(incomplete), suspicion


def decode(base: int, metadata: str) -> tuple[int, frozenset[int]]:
    """Highest completed offset and what is incomplete below it; without metadata nothing beyond base is complete."""
    high, incomplete, _ = read(base, metadata)
    return high, incomplete


def takes_back(before: tuple[int, str], after: tuple[int, str]) -> bool:
    """Whether something that was done by what was committed before is not done by what is committed after."""
    high, incomplete = decode(*before)
    high_after, incomplete_after = decode(*after)
    return high > high_after or any(offset <= high and offset not in incomplete for offset in incomplete_after)


def _put(raw: bytearray, number: int) -> None:
    while number >= 0x80:
        raw.append(number & 0x7F | 0x80)
        number >>= 7
    raw.append(number)


def _numbers(raw: bytes) -> list[int]:
    numbers, current, shift = [], 0, 0
    for byte in raw:
        current |= (byte & 0x7F) << shift
        if byte & 0x80:
            shift += 7
        else:
            numbers.append(current)
            current = shift = 0
    return numbers


class Progress:
    """One partition's progress, from its assignment to its loss."""

    def __init__(self, base: int, metadata: str = "") -> None:
        """Go on where the committed offset and metadata say."""
        self._next = base
        self._high, restored = decode(base, metadata)
        self._restored = set(restored)
        self._restored_high = self._high
        # In the order of offsets, because that is the order in which they are fetched. What is done leaves at once:
        # kept until everything before it is done, it would pile up behind one record that waits.
        self._admitted: dict[int, datetime | None] = {}
        self.dirty = False
        """Something changed since the last commit."""

    def admit(self, offset: int, at: datetime | None = None) -> bool:
        """Take a record up; False where an earlier owner has completed it, or where it was taken up here already.

        `at` is when Kafka got it.
        """
        if offset < self._next:
            return False
        self._next = offset + 1
        if offset <= self._restored_high and offset not in self._restored:
            self.dirty = True
            return False
        self._restored.discard(offset)
        self._admitted[offset] = at
        return True

    def complete(self, offset: int) -> None:
        """A record is done; what it causes is in the same transaction as the next snapshot."""
        self._admitted.pop(offset, None)
        self._high = max(self._high, offset)
        self.dirty = True

    @property
    def incomplete(self) -> int:
        """How many admitted records are not done."""
        return len(self._admitted)

    def pending(self, offset: int) -> bool:
        """Whether a record is still to be done here: taken up, or not fetched yet."""
        return offset >= self._next or offset in self._admitted

    @property
    def idle(self) -> bool:
        """Nothing is known that is not done."""
        return not self._admitted and not self._unfetched()

    @property
    def ahead(self) -> int:
        """Offset behind the last record that was taken up."""
        return self._next

    @property
    def oldest(self) -> datetime | None:
        """When Kafka got the lowest record that was taken up and is not done."""
        return next(iter(self._admitted.values()), None)

    @property
    def span(self) -> int:
        """How far what was fetched is ahead of the low watermark, in offsets."""
        return self._next - next(iter(self._admitted), self._next)

    @property
    def room(self) -> int:
        """How many more records may be fetched, or the metadata would outgrow what the broker takes."""
        # Those of an earlier owner have their place in the metadata already: without this line a partition that is
        # taken over full would never be read again.
        unfetched = len(self._unfetched())
        free = 0 if self.span >= MAX_SPAN else MAX_INCOMPLETE - self.incomplete - unfetched
        return max(free, unfetched)

    @property
    def full(self) -> bool:
        """Nothing more should be fetched: hardly anything would fit, and nothing of an earlier owner is left."""
        return self.room < LEAST_ROOM and not self._unfetched()

    def snapshot(self, suspicion: Suspicion = CALM) -> tuple[int, str]:
        """Offset and metadata to commit."""
        # Incomplete records of an earlier owner that have not been fetched again are still incomplete: left out of the
        # first commit after a restart, they would be lost.
        incomplete = [*self._admitted, *self._unfetched()]
        base = incomplete[0] if incomplete else max(self._next, self._high + 1)
        return base, encode(base, self._high, incomplete, suspicion)

    def _unfetched(self) -> list[int]:
        return sorted(offset for offset in self._restored if offset >= self._next)
