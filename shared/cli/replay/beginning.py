"""Begins a replay, or goes on with one: the selection is frozen into a plan before the first letter moves."""

import base64
import getpass
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from shared.cli.choosing import desk_of
from shared.cli.exits import Exit, Stop
from shared.cli.replay.driving import Desk, Drive, Driven, going_on
from shared.cli.replay.planning import Asked, Considering, consider, expected_cost
from shared.cli.replay.watching import doors_now
from shared.cli.session import Session
from shared.core.pacing import PacePolicy
from shared.kafka.admin import ensure, plan
from shared.kafka.reading import Reader, mapped_errors
from shared.kafka.receipts import DONE, STOPPED, Plan, Receipt, Receipts, frozen
from shared.kafka.resolving import Overtaken, Writer, told_of_fencing

Report = Callable[[Driven, int], None]


@dataclass(frozen=True, slots=True)
class Begun:
    """What came of it."""

    considered: Considering | None
    """What was looked at for a new plan; None where an earlier one goes on."""
    driven: Driven | None
    """What was done; None where there was nothing to do."""
    refused: dict[str, str]
    """Letters that were left, and why."""


def receipts_of(session: Session) -> Receipts:
    """The receipts; their topic is made where an earlier version made the others."""
    wanted = [topic for topic in plan(session.pipeline) if topic.name.endswith(".dlq.receipts")]
    ensure(session.kafka, wanted, replication=session.settings.kafka.replication_factor)
    return Receipts(Reader(session.kafka), session.pipeline)


def begin(session: Session, asked: Asked, policy: PacePolicy, reason: str, report: Report) -> Begun:
    """Replay what is asked for, or go on where the same was begun before. Raises Stop, Unavailable."""
    receipts = receipts_of(session)
    with refusing():
        writer, letters = Writer(session.kafka, session.pipeline.name), desk_of(session)
        known, done = receipts.all(), letters.resolutions()
        desk = Desk(session, letters, writer, policy, report)
        same = [one for one in known if one.name == asked.name and one.state != DONE]
        if same:
            return _go_on(desk, receipts, same[-1].id)
        considered = consider(session, letters, asked, done, known)
        if not considered.entries:
            return Begun(considered, None, considered.refused)
        fresh = _plan(session, asked, considered, policy, reason)
        writer.write(list(frozen(session.pipeline.name, fresh)))
        return Begun(considered, Drive(desk, fresh, done).run(), considered.refused)


def resume(session: Session, receipt_id: str, policy: PacePolicy, report: Report) -> Begun:
    """Go on with a replay. Raises Stop, Unavailable."""
    receipts = receipts_of(session)
    found(receipts, receipt_id)
    with refusing():
        writer = Writer(session.kafka, session.pipeline.name)
        return _go_on(Desk(session, desk_of(session), writer, policy, report), receipts, receipt_id)


def _go_on(desk: Desk, receipts: Receipts, receipt_id: str) -> Begun:
    earlier, done = found(receipts, receipt_id), desk.letters.resolutions()
    if earlier.receipt.state == DONE:
        return Begun(None, Driven(earlier.receipt, before=len(earlier.entries)), dict(earlier.refused))
    if earlier.receipt.state == STOPPED:
        entries = enumerate(earlier.entries)
        first = next((number for number, entry in entries if entry.letter not in done), len(earlier.entries))
        now = doors_now(desk.session, desk.letters.reader)
        earlier = replace(earlier, receipt=going_on(earlier.receipt, first, now))
    return Begun(None, Drive(desk, earlier, done).run(), dict(earlier.refused))


def found(receipts: Receipts, receipt_id: str) -> Plan:
    """The plan of that name. Raises Stop."""
    earlier = receipts.plan(receipt_id)
    if earlier is None:
        raise Stop(Exit.NOT_FOUND, f"receipt {receipt_id}: there is none; `penstock dlq receipts` lists them")
    return earlier


def _plan(session: Session, asked: Asked, considered: Considering, policy: PacePolicy, reason: str) -> Plan:
    now = datetime.now(UTC)
    entries, refused = considered.entries, considered.refused
    receipt = Receipt(
        id=f"replayed-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}",
        by=getpass.getuser(),
        at=now.isoformat(timespec="milliseconds"),
        reason=reason,
        selection=asked.said,
        name=asked.name,
        onto=asked.onto,
        model=asked.model,
        prompt=asked.prompt,
        edited="" if asked.edited is None else base64.b64encode(asked.edited).decode(),
        letters=len(entries),
        refused=len(refused),
        canary=policy.canary,
        forecast=asdict(expected_cost(session, considered)),
        begin=doors_now(session, Reader(session.kafka)),
    )
    return Plan(receipt, entries, refused)


@contextmanager
def refusing() -> Iterator[None]:
    """Turn the loss of the transactional id into a refusal, and what the client raises into Unavailable."""
    try:
        with mapped_errors("dead letters"), told_of_fencing():
            yield
    except Overtaken as error:
        raise Stop(Exit.REFUSED, str(error)) from error
