"""Cancels a document or a batch from outside: the word first, then what no stage would meet by itself, then a look.

    1. the word is written: from here on it holds, whatever becomes of this command
    2. dead letters that fall under it are resolved, each in one transaction with its document's end
    3. what is under way is looked at until all has ended, or the time is over
A command that is killed after 1 has cancelled; the same once more does 2, and changes nothing else. It works while
PostgreSQL and Redis are away.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.cli.choosing import desk_of
from shared.cli.exits import Exit, Stop
from shared.cli.session import Session
from shared.cli.standing import Lookout
from shared.core import topics
from shared.core.cancellation import BATCH, CANCELLED, DOCUMENT, Cancellation
from shared.core.errors import Failed
from shared.kafka.cancelled import say, take_back, words
from shared.kafka.dead_letters import Letter, Resolution
from shared.kafka.resolving import Overtaken, act
from shared.kafka.whereabouts import Whereabouts
from shared.kafka_port import Record
from shared.pipelines.ended import letter_ended
from shared.ports import Codec

LOOK_SECONDS = 0.3
"""Pause between two looks at what is under way."""

Found = dict[str, Whereabouts]
"""Document to where it is."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command has brought about."""

    word: Cancellation
    """The word that holds."""
    changed: bool
    """It was said, or made to reach further, by this command."""
    found: Found
    """Every document that is meant, and where it is now."""

    @property
    def pending(self) -> list[Whereabouts]:
        """Those whose end is still to be told, by the stage that takes them up."""
        return [where for where in self.found.values() if where.is_open]


@dataclass(frozen=True, slots=True)
class Covered:
    """The dead letters that fall under a word. Implements `Chooses`."""

    word: Cancellation
    """The word."""
    stage: str = ""
    """Of any stage."""

    def takes(self, letter: Letter, codec: Codec) -> bool:
        """Whether it does; one that cannot be read is of the document that its key names, whatever its version."""
        event = letter.event(codec)
        if event is None or isinstance(event, Failed):
            return self.word.kind == DOCUMENT and letter.document_id == self.word.name
        return self.word.covers(event)


def cancel_document(lookout: Lookout, asked: Cancellation) -> Outcome:
    """Cancel a document up to the version that is known. Raises Stop where there is none, or it has ended otherwise."""
    session, places = lookout.session, lookout.topics(asked.name)
    if not any(where.is_open for where in places):
        # Only then: where PostgreSQL is away, to ask it takes seconds, and meanwhile it is paid.
        places = lookout.document(asked.name)
    if not places:
        raise Stop(Exit.NOT_FOUND, f"document {asked.name}: pipeline {session.pipeline.name} has not met it")
    newest = max(places, key=lambda where: where.rank)
    standing = words(session.kafka, session.pipeline).find(DOCUMENT, asked.name)
    left = [where for where in places if where.is_open]
    if not left and newest.state != CANCELLED:
        ended_so = f"document {asked.name} is final already: {newest.state}, version {newest.version}"
        raise Stop(Exit.REFUSED, f"{ended_so}; nothing was done, and nothing more will be paid for it")
    version = max((where.version for where in left or places), default=1)
    if all(where.state == CANCELLED for where in left) or (standing and standing.version >= version):
        return Outcome(standing or replace(asked, version=version), changed=False, found={asked.name: newest})
    word = replace(asked, version=max(version, standing.version if standing else 0))
    say(session.kafka, session.pipeline, word)
    return Outcome(word, changed=True, found={asked.name: newest})


def cancel_batch(lookout: Lookout, asked: Cancellation) -> Outcome:
    """Cancel what has been submitted of a batch. Raises Stop where there is nothing of it, or all has ended."""
    session = lookout.session
    standing = words(session.kafka, session.pipeline).find(BATCH, asked.name)
    word = standing or replace(asked, until=asked.at)
    if standing is None:
        # Before anything is looked for: to look takes seconds, and meanwhile it is paid.
        say(session.kafka, session.pipeline, word)
    found = lookout.batch(asked.name)
    left = [where for where in found.values() if where.is_open]
    if standing is None and not any(where.state == CANCELLED or where.is_open for where in found.values()):
        take_back(session.kafka, session.pipeline, word)
        if not found:
            raise Stop(
                Exit.NOT_FOUND, f"batch {asked.name}: pipeline {session.pipeline.name} has met no document of it"
            )
        raise Stop(Exit.REFUSED, f"batch {asked.name}: all {len(found)} documents have ended already; nothing was done")
    # Senders have clocks of their own, and what is there was submitted, whatever they say.
    latest = max((where.submitted_at for where in left), default=word.until)
    if latest <= word.until:
        return Outcome(word, changed=standing is None, found=found)
    word = replace(asked, until=max(latest, asked.at))
    say(session.kafka, session.pipeline, word)
    return Outcome(word, changed=True, found=found)


def carried_out(
    lookout: Lookout, outcome: Outcome, seconds: float, report: Callable[[Outcome], None] = lambda outcome: None
) -> Outcome:
    """Resolve dead letters, and look until all has ended or the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        resolved = resolve(lookout.session, outcome.word)
        outcome = replace(outcome, changed=outcome.changed or resolved, found=look(lookout, outcome.word))
        report(outcome)
        if not outcome.pending or time.monotonic() > deadline:
            return outcome
        time.sleep(LOOK_SECONDS)


def look(lookout: Lookout, word: Cancellation) -> Found:
    """Where the documents are that a word is about; those of a later version or submission are none of its."""
    if word.kind == BATCH:
        return {name: where for name, where in lookout.batch(word.name).items() if where.submitted_at <= word.until}
    places = [where for where in lookout.document(word.name) if where.version <= word.version]
    return {word.name: max(places, key=lambda where: where.rank)} if places else {}


def resolve(session: Session, word: Cancellation) -> bool:
    """Have the dead letters that fall under a word end as cancelled; gives whether there were any."""
    letters, chosen = desk_of(session), Covered(word)
    # Whoever acts on letters takes the place of everybody else who does: not for nothing.
    if next(iter(letters.unresolved(chosen)), None) is None:
        return False
    receipt = f"{CANCELLED}-{word.at:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"

    def how(letter: Letter) -> tuple[Sequence[Record], Resolution]:
        event = letter.event(session.codec)
        at = word.at.isoformat(timespec="milliseconds")
        batch = str(getattr(event, "batch_id", ""))
        note = Resolution(CANCELLED, receipt, word.by, word.said, at, letter.document_id, batch)
        return [end_of(session, letter, word)], note

    try:
        return bool(act(session.kafka, letters, chosen, how).done)
    except Overtaken:
        return False  # the next round finds what is left


def end_of(session: Session, letter: Letter, word: Cancellation) -> Record:
    """The end of a dead letter's document, as the results topic tells it."""
    event = letter.event(session.codec)
    # The key of a letter can be another one than its document: that may be just what was wrong with it.
    name = str(getattr(event, "document_id", letter.document_id))
    end = letter_ended(letter.delivery.position, event, name, CANCELLED, word.said, word.at)
    return Record(topics.results(session.pipeline.name), name.encode(), session.codec.encode(end), (), None)


def new(kind: str, name: str, by: str, reason: str, now: datetime) -> Cancellation:
    """A word before it is known how far it reaches. Raises Stop for a name that no record can have."""
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise Stop(Exit.USAGE, f"{name!r} is no name: it cannot be written in UTF-8") from error
    if not reason.strip():
        raise Stop(Exit.USAGE, "--reason is empty: say why it is cancelled")
    return Cancellation(kind=kind, name=name, by=by, reason=reason.strip(), at=now)
