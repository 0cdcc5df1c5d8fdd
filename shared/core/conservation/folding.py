"""What an audit keeps of a document when its records may be deleted: all facts, and whether they need a look again.

A fold does not judge: it copies what the records said out of the topics into a table, so an audit behind a fold sees
what an audit before it saw. What it adds is a memory of being done with: a document is settled when its own facts hold
the law and nothing of it is under way. Of a settled document an audit reads no facts, only its tally, until something
about it is different from what the facts say.
"""

import json
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.core.conservation.account import CANCELLED, DISCARDED, MOVING, OWN_ROW, WAITING, account_of
from shared.core.conservation.facts import Facts, Kept, Seen, Stage
from shared.core.conservation.flow import Flow
from shared.core.conservation.sheet import Account
from shared.core.conservation.verdict import Question, Verdict, add
from shared.core.shelves import Kind

PACKED = ("kind", "place", "document", "stage", "batch", "event_id", "origin", "replayed")
"""What is kept of a fact, before its state and its version."""
ANY_VERSION = -(2**63)
"""A row has to be there, of whatever version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is kept of one document."""

    document: str
    """The document."""
    facts: Facts
    """All its records before the checkpoint."""
    settled: bool
    """They hold the law by themselves, and nothing is under way."""
    batches: tuple[str, ...]
    """Batches it came with."""
    tally: Mapping[str, int]
    """What it adds to a verdict, where it is settled."""
    letters: Mapping[str, str]
    """Place of each dead letter to what was done about it: anything else done since needs a look."""
    reviews: tuple[str, ...]
    """Places of requests for a person, which have to stand in the table of reviews."""
    version: int | None
    """Lowest version that has to stand in the table of results; None: no row has to be there."""


def page_of(document: str, facts: Facts, kept: Kept, flow: Flow) -> Page:
    """What is to be kept of a document."""
    account = account_of(document, facts, kept, flow)
    settled = _settled(account, facts, kept, flow)
    alone = Verdict()
    if settled:
        add(alone, account, flow, Question())
    return Page(
        document=document,
        facts=facts,
        settled=settled,
        batches=tuple(sorted(account.batches)),
        tally=tally_of(alone) if settled else {},
        letters={seen.place: seen.state for seen in facts if seen.kind is Kind.LETTER},
        reviews=tuple(seen.place for seen in facts if seen.kind is Kind.REVIEW),
        version=max(_versions(facts), default=None) if flow.stores else None,
    )


def _settled(account: Account, facts: Facts, kept: Kept, flow: Flow) -> bool:
    """Whether nothing can become of these facts any more, and nothing about another document can explain them."""
    if account.findings or account.short or account.strays:
        return False
    if any(account.states[state] for state in MOVING):
        return False
    # What stands at a later stage without a cause may have been given about another document.
    if any(seen.stage != flow.first for seen in account.arrivals):
        return False
    if any(seen.kind in WAITING and not seen.sure for seen in facts):
        return False
    sent = kept.sent[0]
    return all(kept.reviews[seen.place].sequence <= sent for seen in facts if seen.kind is Kind.REVIEW)


def _versions(facts: Facts) -> Iterator[int]:
    for seen in facts:
        if seen.kind is Kind.RESULT and seen.version is not None and seen.state not in (CANCELLED, DISCARDED):
            yield seen.version if seen.state in OWN_ROW else ANY_VERSION


def tally_of(found: Verdict) -> dict[str, int]:
    """The numbers of a verdict by name, those left out that are 0."""
    numbers = {"published": found.published, "entered": found.entered, "split": found.split}
    numbers |= {f"state {state}": count for state, count in found.states.items()}
    numbers |= {
        f"stage {name} {part}": getattr(stage, part) for name, stage in found.stages.items() for part in Stage.__slots__
    }
    return {name: count for name, count in sorted(numbers.items()) if count}


def add_tally(found: Verdict, tally: Mapping[str, int], times: int) -> None:
    """Add what so many settled documents have in common."""
    found.documents += times
    for name, count in tally.items():
        kind, _, rest = name.partition(" ")
        if kind == "state":
            found.states[rest] += count * times
        elif kind == "stage":
            stage, _, part = rest.rpartition(" ")
            setattr(found.stages[stage], part, getattr(found.stages[stage], part) + count * times)
        else:
            setattr(found, kind, getattr(found, kind) + count * times)


def packed(facts: Facts) -> bytes:
    """Facts as they are kept: without what is known anew at each look, which is progress and what became of letters."""
    rows = [[s.kind.value, *(getattr(s, name) for name in PACKED[1:]), _own_state(s), s.version] for s in facts]
    return zlib.compress(json.dumps(rows, separators=(",", ":")).encode(), 1)


def unpacked(data: bytes) -> Sequence[Seen]:
    """Read them back."""
    return [_seen(*row) for row in json.loads(zlib.decompress(data))]


def _own_state(seen: Seen) -> str:
    return seen.state if seen.kind is Kind.RESULT else ""


def _seen(kind: str, *rest: Any) -> Seen:
    return Seen(kind=Kind(kind), **dict(zip((*PACKED[1:], "state", "version"), rest, strict=True)))


def settled_tallies(pages: Sequence[Page]) -> list[tuple[Mapping[str, int], int]]:
    """Tallies of settled documents, each with how many have it."""
    counts = Counter(tuple(page.tally.items()) for page in pages if page.settled)
    return [(dict(items), times) for items, times in counts.items()]
