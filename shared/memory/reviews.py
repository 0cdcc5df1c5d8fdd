"""Reviews in memory: the queue of requests and the outbox of decisions."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from shared.ports import ReviewItem


class MemoryReviews:
    """`Reviews` of one pipeline."""

    def __init__(self, pipeline: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._pipeline = pipeline
        self._clock = clock
        self._items: dict[str, ReviewItem] = {}
        self._decided = 0

    async def request(self, items: Sequence[ReviewItem]) -> None:
        """Note requests; one that is known already is left as it is."""
        for item in items:
            asked = replace(
                item, pipeline=self._pipeline, decision="", decided_by="", decided_at=None, note="", sequence=0
            )
            self._items.setdefault(item.review_id, asked)

    async def waiting(self, limit: int) -> Sequence[ReviewItem]:
        """Undecided ones, oldest first."""
        found = [item for item in self._items.values() if not item.sequence]
        return sorted(found, key=lambda item: (item.requested_at, item.review_id))[:limit]

    async def get(self, review_id: str) -> ReviewItem | None:
        """The review of that id."""
        return self._items.get(review_id)

    async def decide(self, review_id: str, decision: str, by: str, note: str) -> ReviewItem | None:
        """Decide once: gives the item as decided now, or None where it is unknown or decided already."""
        item = self._items.get(review_id)
        if item is None or item.sequence:
            return None
        self._decided += 1
        decided = replace(
            item, decision=decision, decided_by=by, note=note, decided_at=self._clock(), sequence=self._decided
        )
        self._items[review_id] = decided
        return decided

    async def decided_after(self, sequence: int, limit: int) -> Sequence[ReviewItem]:
        """Decisions beyond the sequence, in order."""
        found = [item for item in self._items.values() if item.sequence > sequence]
        return sorted(found, key=lambda item: item.sequence)[:limit]
