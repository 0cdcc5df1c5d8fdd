"""Records as they come, in portions, for services that keep positions of their own in PostgreSQL."""

from shared.core.delivery import Delivery
from shared.kafka.reading import Tail

MOST = 1000
"""Records of one transaction."""
MOST_BYTES = 4_000_000
"""Their size, about."""
FETCHED_AHEAD = 8_192
"""Kilobytes: it runs beside everything else, and has no hurry."""
PAUSE_SECONDS = 1.0
"""Pause after something failed that heals."""


def gather(tail: Tail) -> list[Delivery]:
    """What is there, up to what one transaction takes."""
    records: list[Delivery] = []
    size = 0
    while len(records) < MOST and size < MOST_BYTES:
        found = [one for one in tail.poll(0.2) if isinstance(one, Delivery)]
        if not found:
            break
        records += found
        size += sum(len(one.value or b"") for one in found)
    return records
