"""Drives a replay: the first few alone, then the rest at its pace; each letter once, whoever is killed, and when.

    1. the transactional id is ours: what a killed run left open is ended, and nobody else acts on these letters
    2. what is resolved is read: whatever an earlier run committed is not sent again
    3. for some letters at a time: read them, and write what re-enters and the notes of it in one transaction
    4. between these, look at what becomes of them, and stop where too many fail again
A kill at any point leaves the plan as it is and whole transactions behind; the next run begins at 1.
"""

import base64
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from shared.cli.replay.planning import entered
from shared.cli.replay.watching import Watch
from shared.cli.session import Session
from shared.core.delivery import Delivery
from shared.core.event import Position
from shared.core.pacing import Count, PacePolicy, room, too_many, verdict
from shared.core.reentry import Reentry
from shared.kafka.dead_letters import EXPIRED, REPLAYED, DeadLetters, Letter, Resolution
from shared.kafka.receipts import DONE, OPEN, STOPPED, Entry, Plan, Receipt, head
from shared.kafka.resolving import BATCH, BATCH_BYTES, Reenters, Writer, replay_record
from shared.kafka_port import Record

LOOK_SECONDS = 0.1
"""How long one look at what becomes of the letters takes."""


@dataclass(slots=True)
class Driven:
    """What one run did."""

    receipt: Receipt
    """The receipt as it stands."""
    replayed: list[str] = field(default_factory=list)
    """Letters that re-entered in this run."""
    expired: list[str] = field(default_factory=list)
    """Letters that were no longer there."""
    before: int = 0
    """Letters of the plan that were resolved before this run."""
    count: Count = field(default_factory=Count)
    """How those stand that have re-entered."""
    overdue: str = ""
    """What did not end in time; empty where all is well."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a run works with."""

    session: Session
    """The installation."""
    letters: DeadLetters
    """Reads letters."""
    writer: Writer
    """Writes what re-enters."""
    policy: PacePolicy
    """How fast, and when to stop."""
    report: Callable[[Driven, int], None]
    """Is told how it stands, and how many are left."""


class Drive:
    """One run of a plan."""

    def __init__(self, desk: Desk, plan: Plan, done: dict[str, Resolution]) -> None:
        self._desk, self._plan, self._done = desk, plan, done
        self._pending = [entry for entry in plan.entries if entry.letter not in done]
        self.driven = Driven(plan.receipt, before=len(plan.entries) - len(self._pending))
        """What this run did so far."""

    def run(self) -> Driven:
        """Go on until every letter was acted on, too many failed, or something did not end in time."""
        driven, desk = self.driven, self._desk
        with Watch(desk.session, driven.receipt.begin) as watch:
            for entry in self._plan.entries[driven.receipt.first :]:
                if self._is_ours(entry):
                    place = str(desk.letters.position(entry.letter))
                    watch.sent(entry.letter, place, self._done[entry.letter].document_id)
            if self._first_few(watch) and self._rest(watch):
                self._save(state=DONE)
            driven.count = watch.count
        return driven

    def _is_ours(self, entry: Entry) -> bool:
        """Whether the letter re-entered under this receipt."""
        note = self._done.get(entry.letter)
        return note is not None and note.receipt == self.driven.receipt.id and note.action == REPLAYED

    def _first_few(self, watch: Watch) -> bool:
        """Send them, and wait for their ends; False where the others may not follow."""
        receipt, policy = self.driven.receipt, self._desk.policy
        last = receipt.first + receipt.canary
        few = self._plan.entries[receipt.first : last]
        if receipt.passed or not few or last >= len(self._plan.entries):
            return True
        while some := [entry for entry in self._pending[: len(few)] if entry in few]:
            self._send(watch, next(batches(some, BATCH)))
        waited = [entry.letter for entry in few if self._is_ours(entry)]
        deadline = time.monotonic() + policy.patience
        while not all(map(watch.ended, waited)):
            if time.monotonic() > deadline:
                return self._overdue(f"the first {len(waited)} letters have not all ended")
            watch.look(LOOK_SECONDS)
            self._tell(watch)
        if too_many(policy, watch.count, len(waited)):
            return self._stop(watch)
        self._save(passed=True)
        return True

    def _rest(self, watch: Watch) -> bool:
        """Send the others at their pace; False where it has to stop."""
        policy = self._desk.policy
        began, sent = time.monotonic(), 0
        ended, moved = -1, began
        while self._pending:
            count, now = watch.count, time.monotonic()
            if too_many(policy, count, policy.least):
                return self._stop(watch)
            may = room(policy, count, sent, now - began)
            if count.ended > ended or count.under_way < policy.in_flight:
                ended, moved = count.ended, now
            elif now > moved + policy.patience:
                return self._overdue(f"{count.under_way} letters are under way, and none has ended")
            if may:
                some = next(batches(self._pending, min(may, BATCH)))
                self._send(watch, some)
                sent += len(some)
            if self._pending:
                watch.look(LOOK_SECONDS)
            self._tell(watch)
        return True

    def _send(self, watch: Watch, some: Sequence[Entry]) -> None:
        """One transaction: what re-enters, and the notes of it."""
        desk, receipt = self._desk, self.driven.receipt
        found = desk.letters.fetch([entry.letter for entry in some])
        sources = self._sources(some)
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        records: list[Record] = []
        notes: dict[str, Resolution] = {}
        for entry in some:
            letter = found.get(entry.letter)
            own = None if letter is None else letter.delivery
            record = sources.get(entry.source) if entry.source else own
            if letter is None or record is None:
                gone = f"{entry.source or 'the dead letter'} is no longer there"
                note = Resolution(EXPIRED, receipt.id, receipt.by, gone, now)
            else:
                records.append(self._again(letter, record))
                batch = str(getattr(letter.event(desk.session.codec), "batch_id", ""))
                note = Resolution(REPLAYED, receipt.id, receipt.by, receipt.reason, now, letter.document_id, batch)
            notes[entry.letter] = note
        desk.writer.write(records + [desk.writer.note(one, note) for one, note in notes.items()])
        self._done |= notes
        # They are always the first ones: to look for each in a long list would take longer than to send it.
        del self._pending[: len(some)]
        for one, note in notes.items():
            (self.driven.replayed if note.action == REPLAYED else self.driven.expired).append(one)
            if note.action == REPLAYED:
                watch.sent(one, str(desk.letters.position(one)), note.document_id)

    def _again(self, letter: Letter, record: Delivery) -> Record:
        receipt, pipeline = self.driven.receipt, self._desk.session.pipeline
        stage = (
            pipeline.stage(receipt.onto) if receipt.onto else entered(pipeline, replay_record(pipeline, letter).topic)
        )
        reentry = Reentry(letter.delivery.position, receipt.id, letter.replays + 1, receipt.model, receipt.prompt)
        edited = base64.b64decode(receipt.edited) if receipt.edited else None
        return replay_record(pipeline, letter, reentry, Reenters(pipeline.topics(stage).input, record, edited))

    def _sources(self, some: Sequence[Entry]) -> dict[str, Delivery]:
        places = [Position.parse(entry.source) for entry in some if entry.source]
        return {str(record.position): record for record in self._desk.letters.reader.read_places(places)}

    def _stop(self, watch: Watch) -> bool:
        self._save(state=STOPPED, said=verdict(watch.count))
        return False

    def _overdue(self, what: str) -> bool:
        self.driven.overdue = f"{what} within {self._desk.policy.patience:g} s"
        return False

    def _save(self, **changed: object) -> None:
        self.driven.receipt = replace(self.driven.receipt, **changed)  # type: ignore[arg-type]
        self._desk.writer.write([head(self._desk.session.pipeline.name, self.driven.receipt)])

    def _tell(self, watch: Watch) -> None:
        self.driven.count = watch.count
        self._desk.report(self.driven, len(self._pending))


def going_on(receipt: Receipt, first: int, begin: dict[str, int]) -> Receipt:
    """The receipt of a replay that was stopped and is to go on: it tries anew with the next few."""
    return replace(receipt, state=OPEN, said="", passed=False, first=first, begin=begin)


def batches(entries: Sequence[Entry], most: int) -> Iterator[list[Entry]]:
    """The letters in groups that fit a transaction and the memory."""
    group: list[Entry] = []
    size = 0
    for entry in entries:
        if group and (len(group) >= most or size + entry.size > BATCH_BYTES):
            yield group
            group, size = [], 0
        group.append(entry)
        size += entry.size
    if group:
        yield group
