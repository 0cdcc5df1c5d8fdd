"""How far a partition has been worked off when records finish out of order.

What is committed is the lowest incomplete offset, and in the commit's metadata what is *incomplete* below the highest
completed one. Incomplete, never the completed ones counted: transaction markers and compaction leave gaps, and a gap
looks just like a record that is not done. A restart therefore repeats nothing that was committed.

Format: `1` + base64(varint(high - base), varint gaps between the incomplete offsets). At most two bytes an offset while
gaps stay below 16,384, so a cap on what is admitted (`MAX_INCOMPLETE`) is what makes it always fit.
"""

import base64
from collections import deque
from collections.abc import Iterable

LIMIT = 4095
"""Characters of metadata that a broker takes by default; 4,096 is refused (measured)."""
MAX_INCOMPLETE = 1400
"""Incomplete records of one partition beyond which nothing more is admitted."""
VERSION = "1"


def encode(base: int, high: int, incomplete: Iterable[int]) -> str:
    """What is incomplete from `base` to `high`, both included; `incomplete` is sorted."""
    if high < base:
        return ""
    raw, previous = bytearray(), base
    _put(raw, high - base)
    for offset in incomplete:
        if offset > high:
            break
        _put(raw, offset - previous)
        previous = offset
    return VERSION + base64.b64encode(bytes(raw)).decode()


def decode(base: int, metadata: str) -> tuple[int, frozenset[int]]:
    """Highest completed offset and what is incomplete below it; without metadata nothing beyond base is complete."""
    if not metadata.startswith(VERSION):
        return base - 1, frozenset()
    high, *gaps = _numbers(base64.b64decode(metadata[1:]))
    incomplete, previous = set(), base
    for gap in gaps:
        previous += gap
        incomplete.add(previous)
    return base + high, frozenset(incomplete)


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
        self._admitted: deque[int] = deque()
        self._complete: set[int] = set()
        self.dirty = False
        """Something changed since the last commit."""

    def admit(self, offset: int) -> bool:
        """Take a record up; False where an earlier owner has completed it."""
        self._next = offset + 1
        if offset <= self._restored_high and offset not in self._restored:
            self.dirty = True
            return False
        self._restored.discard(offset)
        self._admitted.append(offset)
        return True

    def complete(self, offset: int) -> None:
        """A record is done; what it causes is in the same transaction as the next snapshot."""
        self._complete.add(offset)
        self._high = max(self._high, offset)
        self.dirty = True
        while self._admitted and self._admitted[0] in self._complete:
            self._complete.discard(self._admitted.popleft())

    @property
    def incomplete(self) -> int:
        """How many admitted records are not done."""
        return len(self._admitted) - len(self._complete)

    @property
    def full(self) -> bool:
        """Nothing more may be admitted, or the metadata would outgrow what the broker takes."""
        return self.incomplete + len(self._restored) >= MAX_INCOMPLETE

    def snapshot(self) -> tuple[int, str]:
        """Offset and metadata to commit."""
        # Incomplete records of an earlier owner that have not been fetched again are still incomplete: left out of the
        # first commit after a restart, they would be lost.
        unfetched = sorted(offset for offset in self._restored if offset >= self._next)
        incomplete = [offset for offset in self._admitted if offset not in self._complete] + unfetched
        base = incomplete[0] if incomplete else max(self._next, self._high + 1)
        return base, encode(base, self._high, incomplete)
