"""A replay before it begins: which letters may go, where to, which not and why, and what it is expected to cost."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from shared.cli.session import Session
from shared.core.errors import Unavailable
from shared.core.event import Position
from shared.core.forecast import Due, Forecast, forecast
from shared.core.graph import Pipeline
from shared.core.stage import Stage
from shared.core.topics import is_door
from shared.database.costs import Costs
from shared.kafka.dead_letters import DeadLetters, Letter, Resolution
from shared.kafka.receipts import Entry, Receipt
from shared.kafka.resolving import Reenters, replay_record, too_large
from shared.kafka.selection import Selection, name_of
from shared.pipelines.ended import document_type


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants replayed, and how."""

    selection: Selection
    """Which letters."""
    onto: str = ""
    """Stage they are to re-enter; empty: the one they failed in."""
    model: str = ""
    """Model to be asked instead of the chains."""
    prompt: str = ""
    """Prompt to be used instead of the one in use."""
    most: int = 3
    """How often one record may be replayed."""
    again: bool = False
    """Take also what failed again after the same was asked for before."""
    edited: bytes | None = None
    """What is to stand in the place of the one letter's value."""

    @property
    def said(self) -> dict[str, Any]:
        """What was asked for, as JSON."""
        beside = {"from": self.onto, "model": self.model, "prompt": self.prompt}
        return self.selection.said | {name: value for name, value in beside.items() if value}

    @property
    def name(self) -> str:
        """Its name: the same asked again goes on with what was begun."""
        return name_of(self.said | ({"edited": self.edited.hex()} if self.edited is not None else {}))


@dataclass(frozen=True, slots=True)
class Considered:
    """One letter that is meant, and whether it may go."""

    id: str
    """The letter."""
    since: datetime
    """When it became one."""
    size: int
    """Bytes of what re-enters."""
    to: str
    """Topic it re-enters."""
    why_not: str
    """Why it may not; empty: it may."""
    due: Due
    """The document, and the stages it has yet to pass."""
    key: bytes | None
    """Its key."""
    wants_source: bool = False
    """An earlier record of its document has to be found."""
    source: str = ""
    """Where that one stands."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """The letter in a few words."""


@dataclass(slots=True)
class Considering:
    """Everything that is meant."""

    meant: list[Considered] = field(default_factory=list)
    """Unresolved letters, in the order in which they became letters."""
    resolved: list[str] = field(default_factory=list)
    """Letters that are meant and were acted on before."""
    stopped: set[str] = field(default_factory=set)
    """Documents of any unresolved letter: what they cost is no measure of what it costs to go through."""

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Those that may go."""
        return tuple(Entry(one.id, one.size, one.source) for one in self.meant if not one.why_not)

    @property
    def refused(self) -> dict[str, str]:
        """Those that may not, and why."""
        return {one.id: one.why_not for one in self.meant if one.why_not}

    @property
    def due(self) -> list[Due]:
        """Documents that would go on."""
        return [one.due for one in self.meant if not one.why_not]


def consider(
    session: Session,
    letters: DeadLetters,
    asked: Asked,
    done: Mapping[str, Resolution],
    receipts: Sequence[Receipt],
    tell: Callable[[Letter], Mapping[str, Any]] = lambda letter: {},
) -> Considering:
    """Look at every dead letter; `tell` says what is to be kept of one for people."""
    before = {receipt.id for receipt in receipts if receipt.name == asked.name}
    found = Considering()
    for letter, note in letters.chosen(Selection(), done):
        if note is None:
            found.stopped.add(letter.document_id)
        if not asked.selection.takes(letter, session.codec):
            continue
        if note is not None:
            found.resolved.append(letter.id)
        else:
            found.meant.append(replace(_considered(session, letter, asked, before), about=tell(letter)))
    found.meant.sort(key=lambda one: (one.since, one.id))
    if any(one.wants_source and not one.why_not for one in found.meant):
        found.meant = _with_sources(letters, session.pipeline.stage(asked.onto), found.meant)
    return found


def _considered(session: Session, letter: Letter, asked: Asked, before: Iterable[str]) -> Considered:
    pipeline, event = session.pipeline, letter.event(session.codec)
    own = replay_record(pipeline, letter).topic
    stage = pipeline.stage(asked.onto) if asked.onto else entered(pipeline, own)
    to = pipeline.topics(stage).input
    wants_source = to != own and type(event) not in stage.takes
    onto = Reenters(to, letter.delivery, asked.edited)
    large = "" if wants_source else too_large(replay_record(pipeline, letter, onto=onto))
    return Considered(
        id=letter.id,
        since=letter.delivery.appended_at,
        size=len(asked.edited if asked.edited is not None else letter.delivery.value or b""),
        to=to,
        why_not=large or _why_not(letter, (stage, to), asked, before),
        due=Due(letter.document_id, document_type(event), remaining(pipeline, stage)),
        key=letter.delivery.key,
        wants_source=wants_source,
    )


def _why_not(letter: Letter, onto: tuple[Stage[Any, Any], str], asked: Asked, before: Iterable[str]) -> str:
    reentry, (stage, topic) = letter.delivery.reentry, onto
    if letter.replays >= asked.most:
        return f"replayed {letter.replays} times and failed again each time: mend the cause, and raise --max-replays"
    if reentry and reentry.receipt in before and not asked.again:
        return f"failed again after {reentry.receipt}, which asked for the same: --again takes it once more"
    if asked.model and not stage.chains:
        return f"{stage.name} asks no model: leave --model out, or say --from a stage that asks one"
    if (asked.model or asked.prompt) and is_door(topic):
        return f"anybody writes to {topic}, so no record of it may choose a model or a prompt: leave both out"
    return ""


def _with_sources(letters: DeadLetters, stage: Stage[Any, Any], meant: Sequence[Considered]) -> list[Considered]:
    """Each with the newest record of its document on the stage's input topic, where one is needed."""
    topic = letters.pipeline.topics(stage).input
    wanted = {one.key for one in meant if one.wants_source}
    newest: dict[bytes | None, tuple[Position, int]] = {}
    for record in letters.reader.read([topic]):
        if record.key in wanted and record.value is not None:
            newest[record.key] = (record.position, len(record.value))
    sourced = []
    for one in meant:
        if not one.wants_source or one.why_not:
            sourced.append(one)
        elif one.key in newest:
            place, size = newest[one.key]
            sourced.append(replace(one, source=str(place), size=size))
        else:
            gone = f"{topic} has no record of its document any more: it cannot begin there again"
            sourced.append(replace(one, why_not=gone))
    return sourced


def entered(pipeline: Pipeline, topic: str) -> Stage[Any, Any]:
    """The stage whose input topic it is."""
    return next(stage for stage in pipeline.stages if pipeline.topics(stage).input == topic)


def remaining(pipeline: Pipeline, stage: Stage[Any, Any]) -> tuple[str, ...]:
    """The stage and all that can follow it, itself first."""
    found: dict[str, None] = {}
    waiting = [stage]
    while waiting:
        current = waiting.pop(0)
        if current.name not in found:
            found[current.name] = None
            waiting += [step.target for step in pipeline.edges_from(current) if isinstance(step.target, Stage)]
    return tuple(found)


def expected_cost(session: Session, considering: Considering) -> Forecast:
    """What the letters that may go are expected to cost; says so where there is nothing to go by."""
    due = considering.due
    try:
        return asyncio.run(_forecast(session, due, considering.stopped))
    except Unavailable as error:
        return Forecast(0.0, len(due), 0, f"unknown: {error}")


async def _forecast(session: Session, due: Sequence[Due], stopped: set[str]) -> Forecast:
    async with session.database() as database:
        costs = Costs(database, session.pipeline.name)
        return forecast(await costs.paid(stopped), due, await costs.answered({one.document_id for one in due}))
