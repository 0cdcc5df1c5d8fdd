"""What a drill has shown: how each document ended, and which promise was broken. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from shared.cli.waiting import End
from shared.kafka.whereabouts import DEAD


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of one drill."""

    wanted: Collection[str]
    """The documents that were published."""
    ends: Mapping[str, Sequence[End]]
    """Every end that was seen of each."""
    seconds: float
    """From the failure until the last document had ended."""
    down: Sequence[str] = ()
    """Processes that were not ready again in the end."""


@dataclass(frozen=True, slots=True)
class Report:
    """One drill, judged."""

    drill: str
    """Its name."""
    documents: int
    """How many were published."""
    states: Mapping[str, int] = field(default_factory=dict)
    """State to number of documents."""
    failures: Mapping[str, int] = field(default_factory=dict)
    """Failure class to number of documents that ended with it."""
    seconds: float = 0.0
    """From the failure until the last document had ended."""
    broken: tuple[str, ...] = ()
    """Promises that did not hold, each in one sentence; empty where all did."""


def judged(drill: str, seen: Seen) -> Report:
    """Hold what was seen against the promises."""
    last = {document: ends[-1] for document, ends in seen.ends.items() if ends}
    return Report(
        drill,
        len(seen.wanted),
        dict(Counter(end.state for end in last.values())),
        dict(Counter(end.failure for end in last.values() if end.failure)),
        round(seen.seconds, 1),
        tuple(broken(seen, last)),
    )


def broken(seen: Seen, last: Mapping[str, End]) -> list[str]:
    """The promises that did not hold."""
    lost = sorted(set(seen.wanted) - last.keys())
    twice = sorted(document for document, ends in seen.ends.items() if len(ends) > 1)
    dead = sorted(document for document, end in last.items() if end.state == DEAD)
    silent = [document for document in dead if not last[document].failure]
    found = [
        (lost, "accepted is not lost: no end was seen of {}: `penstock status` tells where each is"),
        (twice, "stored once: more than one end was seen of {}"),
        (silent, "nothing silent: dead letters without a class: {}"),
        (dead, "an outage is a pause, not a graveyard: dead-lettered {}"),
        (list(seen.down), "it comes back by itself: not ready: {}"),
    ]
    return [sentence.format(some(names)) for names, sentence in found if names]


def some(names: Sequence[str]) -> str:
    """A few of them, and how many there are."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
