"""What a webhook is told: that a document came to an end, or that a batch is finished. Pure.

An end is here where nothing goes on by itself: a document that waits for a person has come to one as well, as for
`penstock publish --wait`. It may go on from there, and then comes to another one.
"""

import uuid
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.core.event import NAMESPACE
from shared.core.timeline import DISCARDED, Entry

BATCH = "batch"
"""What is told of batches, beside the ends of documents."""
OPEN = "open"
"""A document of a batch that is on its way."""
IN_REVIEW = "in-review"
ENDS = ("stored", "dead-lettered", IN_REVIEW, "cancelled", "rejected", DISCARDED, "superseded", "deduplicated")
"""How a document can end, in the words of `penstock status`."""
TELLING = frozenset({"ended", "dead-lettered", "review"})
"""Kinds of entries that tell a document's end; a note about a dead letter repeats what the results topic tells."""
CAUSES = 3
"""Failures that are named of a batch, the most frequent first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that is worth telling."""

    id: str
    """Its name for ever: the same end has the same one, whoever finds it how often."""
    on: str
    """Which end it is, or that it is about a batch."""
    type: str
    """The same as receivers know it: document.stored, batch.finished."""
    at: datetime
    """When it happened, UTC."""
    subject: str
    """The document or the batch."""
    tenant: str = ""
    """On whose account; of a batch empty."""
    document_type: str = ""
    """The document's type, where it is known."""
    text: str
    """All of it in one sentence."""
    data: Mapping[str, Any]
    """All of it as JSON has it."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many documents of a batch came to the same end."""

    state: str
    """The end."""
    stage: str
    """The stage at which they failed, or wait for a person."""
    failure: str
    """The failure class."""
    tenant: str
    """On whose account."""
    documents: int
    """How many."""
    last_at: datetime
    """When the last of them ended."""


def message_id(*parts: object) -> str:
    """An id that follows from what it names; it has no full stop, which separates it from the rest in a signature."""
    return "msg_" + uuid.uuid5(NAMESPACE, "\n".join(map(str, parts))).hex


def document_notice(pipeline: str, entry: Entry) -> Notice | None:
    """What an entry tells; None where it tells no end."""
    if entry.kind not in TELLING or entry.state not in ENDS or not entry.document_id:
        return None
    failed = entry.state in ("dead-lettered", IN_REVIEW)
    tenant, kind = (str(entry.detail.get(fact, "")) for fact in ("tenant", "document_type"))
    data = {
        "pipeline": pipeline,
        "document_id": entry.document_id,
        "batch_id": entry.batch_id,
        "tenant": tenant,
        "state": entry.state,
        "document_type": kind,
        "stage": entry.stage if failed else "",
        "failure": entry.failure,
        "message": entry.message,
        "attempts": entry.attempts,
    }
    place = f"{entry.topic}/{entry.partition}/{entry.offset}"
    return Notice(
        # Topics that were made anew begin at offset 0 again: the time tells their records from those before.
        id=message_id(pipeline, place, entry.at.isoformat()),
        on=entry.state,
        type=f"document.{entry.state.replace('-', '_')}",
        at=entry.at,
        subject=entry.document_id,
        tenant=tenant,
        document_type=kind,
        text=said(entry, failed),
        data=data,
    )


def said(entry: Entry, failed: bool) -> str:
    """The sentence about a document."""
    why = ": ".join(filter(None, (entry.failure, entry.message)))
    where = f" at {entry.stage}" if failed and entry.stage else ""
    return f"Document {entry.document_id} is {entry.state}{where}" + (f": {why}" if why else "")


def tells(round_: int, reopened: bool, counts: Sequence[Count]) -> bool:
    """Whether a batch of which nothing is on its way is told: once at its first end, and after it was opened again.

    Where only reviews were decided since, it waits for the last of them: a person who decides a hundred would
    otherwise cause a hundred messages.
    """
    return not round_ or reopened or all(count.state != IN_REVIEW for count in counts)


def batch_notice(
    pipeline: str, batch: str, round_: int, counts: Sequence[Count], tenants: Collection[str] = ()
) -> Notice | None:
    """That a batch is finished; with `tenants` only of their documents, None where it has none."""
    known = [count for count in counts if not tenants or count.tenant in tenants]
    total = sum(count.documents for count in known)
    if not total:
        return None
    at = max(count.last_at for count in known)
    states: Counter[str] = Counter()
    causes: Counter[tuple[str, str]] = Counter()
    for count in known:
        states[count.state] += count.documents
        if count.failure:
            causes[count.stage, count.failure] += count.documents
    failures = [
        {"stage": stage, "failure": failure, "documents": number, "rate": round(number / total, 4)}
        for (stage, failure), number in sorted(causes.items(), key=lambda cause: (-cause[1], cause[0]))
    ]
    return Notice(
        id=message_id(pipeline, BATCH, batch, round_, max(count.last_at for count in counts).isoformat()),
        on=BATCH,
        type="batch.finished",
        at=at,
        subject=batch,
        text=batch_said(batch, round_, states, failures),
        data={
            "pipeline": pipeline,
            "batch_id": batch,
            "round": round_,
            "documents": total,
            "states": dict(sorted(states.items())),
            "failures": failures,
        },
    )


def batch_said(batch: str, round_: int, states: Mapping[str, int], failures: Sequence[Mapping[str, Any]]) -> str:
    """The sentence about a batch."""
    ends = ", ".join(f"{states[state]:,} {state}" for state in ENDS if states.get(state))
    total = sum(states.values())
    causes = "; ".join(
        f"{100 * cause['rate']:.3g} % fail at {cause['stage']} with {cause['failure']} ({cause['documents']:,})"
        for cause in failures[:CAUSES]
    )
    again = "finished" if round_ == 1 else f"finished again ({round_})"
    return f"Batch {batch} is {again}: {total:,} documents, {ends}" + (f". {causes}" if causes else "")
