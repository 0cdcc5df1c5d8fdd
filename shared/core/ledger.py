"""The call ledger as values: what is paid for, under which name, and the rules by which a result is found again.

    begin   no result yet                          the intent is noted; a repeat, where another intent has no end
            accepted, by whatever operation        the result is given, nothing is noted
            rejected, by the same operation        the same: an unchanged request is not sent again inside one operation
            rejected elsewhere, or failed          the intent is noted
    end     the first accepted result stays for ever; any other is kept only where its own intent still stands

The statements in `shared/database/ledger.py` follow these rules; a property test holds both against each other.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.core.delivery import Delivery


class State(StrEnum):
    """How far a request has come."""

    INTENT = "intent"
    """It is about to be made, or was being made when its process ended."""
    ACCEPTED = "accepted"
    """It has a result that everybody may use."""
    REJECTED = "rejected"
    """It was answered, and may have to be paid, but the answer is no use."""
    FAILED = "failed"
    """It was not answered; a later try is not held up by it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """On whose account, and in whose work, something is asked."""

    pipeline: str
    """Pipeline."""
    stage: str
    """Stage."""
    tenant: str
    """On whose account; a result is never found by another tenant."""
    document_id: str
    """Document; empty where it is asked for a whole batch."""
    operation: str
    """The work on one record until it is done: retries belong to it, a replay is another one."""


@dataclass(frozen=True, slots=True)
class Intent:
    """One try of a request, before it is made."""

    fingerprint: str
    """The request's name: the same request has the same, another one another."""
    scope: Scope
    """Who asks."""
    task: str
    """What it is for: a model call's task, or a step's key."""
    model: str
    """Model; empty for a step."""
    ticket: int
    """Number of this very try, drawn at random, below 2**63: telling it twice counts once."""
    at: datetime | None = None
    """When, UTC; None: now."""
    document_type: str = ""
    """Type of the document, where it is known; by it costs are told apart, and nothing is found."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One try of a request, ended."""

    intent: Intent
    """The try."""
    state: State
    """How it ended."""
    result: str = ""
    """What came of it, as JSON."""
    failure: str = ""
    """Failure class of what was rejected or failed."""
    input_tokens: int = 0
    """Tokens of the request."""
    output_tokens: int = 0
    """Tokens of the answer."""
    cost_usd: float = 0.0
    """US dollars."""
    milliseconds: int = 0
    """How long it took."""
    at: datetime | None = None
    """When it ended, UTC; None: now."""
    cached_tokens: int = 0
    """Of the request's tokens, those that the provider had read before."""
    written_tokens: int = 0
    """Of the request's tokens, those that it put aside to be found again."""
    reasoning_tokens: int = 0
    """Of the answer's tokens, those that were thought and not said."""
    unsure: bool = False
    """Nobody saw what the provider counted: tokens and cost are our estimate, and the bill may say another."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A ledger's answer to an intent."""

    found: Recorded | None = None
    """The result to be used; None: make the call."""
    repeat: bool = False
    """Another try of this request has no end: it may have been made, and may have to be paid twice."""


@dataclass(frozen=True, slots=True)
class Row:
    """What a ledger keeps of one request."""

    record: Recorded
    """The try that stands."""
    repeat: bool = False
    """It is the repeat of one without an end."""
    repeats: int = 0
    """How many tries were."""
    ended: frozenset[int] = frozenset()
    """Tickets whose cost is counted."""
    cost_usd: float = 0.0
    """US dollars of all tries."""
    pending: frozenset[int] = frozenset()
    """Tickets that were noted and have no end: in flight, or nobody saw the answer."""


def begin(row: Row | None, intent: Intent) -> tuple[Row, Begun]:
    """Look up, and note the intent where there is no result to use."""
    if row is None:
        return Row(Recorded(intent, State.INTENT), pending=frozenset({intent.ticket})), Begun()
    if intent.ticket in row.ended:  # told again, out of a spool
        return row, Begun()
    stands = row.record
    same_operation = stands.intent.scope.operation == intent.scope.operation
    if stands.state is State.ACCEPTED or (stands.state is State.REJECTED and same_operation):
        return row, Begun(stands)
    if stands.intent.ticket == intent.ticket:
        return row, Begun(repeat=row.repeat)
    repeat = stands.state is State.INTENT
    pending = row.pending | {intent.ticket}
    repeats = row.repeats + repeat
    noted = replace(row, record=Recorded(intent, State.INTENT), repeat=repeat, repeats=repeats, pending=pending)
    return noted, Begun(repeat=repeat)


def end(row: Row | None, record: Recorded) -> tuple[Row, Recorded]:
    """Keep a result; gives what the caller is to use: an accepted result that was there first, else its own."""
    ticket = record.intent.ticket
    row = row or Row(Recorded(record.intent, State.INTENT))
    row = replace(row, pending=row.pending - {ticket})
    if ticket not in row.ended:
        row = replace(row, ended=row.ended | {ticket}, cost_usd=row.cost_usd + record.cost_usd)
    stands = row.record
    if stands.state is State.ACCEPTED:
        return row, stands
    if record.state is State.ACCEPTED or stands.intent.ticket == ticket:
        row = replace(row, record=record)
    return row, record


def operation_of(delivery: Delivery) -> str:
    """The operation a record belongs to: the place where it first reached the stage.

    A retry keeps that place in its headers. A replayed record has a place of its own, and so have its retries: each
    replay is an operation of its own.
    """
    return str(delivery.origin)


def call_fingerprint(scope: Scope, request: Iterable[str]) -> str:
    """The name of a model call: the whole request as it is sent, for one tenant and stage, whatever the document."""
    return _hashed("call", scope.pipeline, scope.stage, scope.tenant, *request)


def once_fingerprint(scope: Scope, content: bytes, key: str) -> str:
    """The name of a step inside a handler: one key for one content of one document."""
    digest = hashlib.sha256(content).hexdigest()
    return _hashed("once", scope.pipeline, scope.stage, scope.tenant, scope.document_id, digest, key)


def _hashed(*parts: str) -> str:
    """SHA-256 of the parts, each after its length: joined plainly, `ab`+`c` would pass for `a`+`bc`."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.hexdigest()


def to_line(entry: Intent | Recorded) -> str:
    """An intent or a record as one line of JSON."""
    return json.dumps(entry, default=_plain)


def _plain(value: Any) -> Any:
    # Not `asdict`: it copies deeply, and takes longer than all the rest.
    return value.isoformat() if isinstance(value, datetime) else {n: getattr(value, n) for n in value.__slots__}


def from_line(line: str | bytes) -> Intent | Recorded:
    """Read a line back. Raises ValueError where it is none."""
    try:
        said = json.loads(line)
        if "intent" not in said:
            return _intent(said)
        intent, state = _intent(said.pop("intent")), State(said.pop("state"))
        return Recorded(intent=intent, state=state, **said | {"at": _moment(said["at"])})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a line of a ledger: {line[:80]!r}") from error


def _intent(said: dict[str, Any]) -> Intent:
    return Intent(**said | {"scope": Scope(**said["scope"]), "at": _moment(said["at"])})


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
