"""The layers around a handler: decode, look whether it is cancelled, call, turn errors into outcomes, settle.

Errors become outcomes here and nowhere else: `Guard` is the only place of the system that catches whatever comes.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from shared.core.context import Context
from shared.core.delivery import Delivery
from shared.core.errors import Failed, Misconfigured, Unavailable
from shared.core.failures import Failure
from shared.core.outcome import Cancelled, DeadLetter, Emit, Outcome, Park, Retry, Review
from shared.core.remedies import DEFAULT
from shared.core.settle import Place, Settled, settle
from shared.core.stage import Handler
from shared.core.tries import chain_of
from shared.observe.tracing.spans import Decision
from shared.observe.tracing.traces import Traces
from shared.pipelines.ended import document_type
from shared.ports import Codec
from shared.runtime.flow.cancelling import Cancelling, ending
from shared.runtime.flow.share import Taken

SCHEMA_PATIENCE = timedelta(minutes=1)
"""How long a record of an unknown schema waits for its schema to be told."""


class Observe(Protocol):
    """Told of each decision."""

    def __call__(
        self, delivery: Delivery, outcome: Outcome[Any], seconds: float, document_type: str = "", *, final: bool = False
    ) -> None:
        """`seconds`: in the handler; `final`: the record has left the stage."""
        ...


@dataclass(frozen=True, slots=True)
class Layers:
    """A handler with everything around it; gives decisions."""

    place: Place
    handler: Handler
    codec: Codec
    context: Callable[[Delivery, Any, datetime], Context]
    """Makes what the handler is handed."""
    now: Callable[[], datetime]
    """UTC."""
    observe: Observe
    """Told of each outcome."""
    cancelling: Cancelling = field(default_factory=Cancelling)
    """What operators have cancelled."""
    traces: Traces = field(default_factory=Traces)
    """Told of each decision."""

    async def slow(self, taken: Taken) -> Settled:
        """Decide about one record with an async handler."""
        event = self._decode(taken)
        if isinstance(event, DeadLetter | Park):
            return self._settle(taken.delivery, None, event, self.now())
        started = self.now()
        with self.traces.within(self.place, taken.delivery, event):
            with Guard() as guard:
                guard.outcome = await self._called(taken.delivery, event, started)
            return self._settle(taken.delivery, event, guard.outcome, started)

    def cheap(self, taken: Taken) -> Settled:
        """Decide about one record with a plain handler."""
        event = self._decode(taken)
        if isinstance(event, DeadLetter | Park):
            return self._settle(taken.delivery, None, event, self.now())
        started = self.now()
        with Guard() as guard:
            if (word := self.cancelling.known.of(event)) is not None:
                guard.outcome = ending(event, word, started)
            else:
                guard.outcome = self.handler.call(event, self.context(taken.delivery, event, started))
        return self._settle(taken.delivery, event, guard.outcome, started)

    async def batch(self, batch: Sequence[Taken]) -> Sequence[Settled]:
        """Decide about many records with a batch handler; what cannot be decoded does not reach it."""
        started = self.now()
        events = [self._decode(taken) for taken in batch]
        good = [index for index, event in enumerate(events) if not isinstance(event, DeadLetter | Park)]
        outcomes: dict[int, Any] = {i: e for i, e in enumerate(events) if isinstance(e, DeadLetter | Park)}
        if good:
            with Guard() as guard:
                guard.outcome = await self._called_once(batch, {i: events[i] for i in good}, started)
            # An error of the call as a whole is everybody's outcome.
            outcomes |= guard.outcome if isinstance(guard.outcome, dict) else dict.fromkeys(good, guard.outcome)
        decoded = {index: events[index] for index in good}
        return [self._settle(taken.delivery, decoded.get(i), outcomes[i], started) for i, taken in enumerate(batch)]

    def cancels(self, taken: Taken) -> bool:
        """Whether a record that waits is to end."""
        event = self._decode(taken)
        return not isinstance(event, DeadLetter | Park) and self.cancelling.known.of(event) is not None

    async def _called(self, delivery: Delivery, event: Any, started: datetime) -> Any:
        """What the handler gave, unless the document was cancelled before, or in the middle of it."""
        if self.cancelling.known and (found := await self.cancelling.of({0: event})):
            return ending(event, found[0], started)
        given: Any = None
        with self.cancelling.at_work(event) as stop:
            given = await self.handler.call(event, self.context(delivery, event, started))
        return given if stop.word is None else ending(event, stop.word, self.now())

    async def _called_once(self, batch: Sequence[Taken], events: Mapping[int, Any], started: datetime) -> Any:
        """What a batch handler gave, by the number of its event; what is cancelled does not reach it."""
        words = await self.cancelling.of(events)
        outcomes: dict[int, Any] = {number: ending(events[number], word, started) for number, word in words.items()}
        left = [number for number in events if number not in words]
        if left:
            context = self.context(batch[left[0]].delivery, events[left[0]], started)
            given = await self.handler.call([events[number] for number in left], context)
            each = given if isinstance(given, list | tuple) else [given] * len(left)
            if len(each) != len(left):
                raise Misconfigured(
                    f"the handler of {self.place.stage.name} gave {len(each)} outcomes for {len(left)} events: give one"
                    " for each, in the same order"
                )
            outcomes |= dict(zip(left, each, strict=True))
        return outcomes

    def _settle(self, delivery: Delivery, event: Any, outcome: Any, started: datetime) -> Settled:
        now = self.now()
        if not isinstance(outcome, Emit | Retry | DeadLetter | Review | Park | Cancelled):
            said = f"the handler of {self.place.stage.name} returned {type(outcome).__name__}, which is no outcome"
            outcome = DeadLetter(Failure.INTERNAL, f"{said}: mend it and replay")
        # The conditions of edges are the pipeline's own code: one that fails on this document must not end the service.
        with Guard() as guard:
            guard.outcome = outcome
            settled = settle(self.place, delivery, event, outcome, now)
        if guard.outcome is not outcome:
            settled = settle(self.place, delivery, event, guard.outcome, now)
        decided = self.place.pipeline.remedies.applied(guard.outcome)
        left = settled.hold is None and not settled.comes_back
        seconds = (now - started).total_seconds()
        observe = partial(self.observe, delivery, decided, seconds, document_type(event), final=left)
        if isinstance(decided, Emit):
            observe()
        else:  # Only these are logged, and to find their ids for all would cost a cheap stage a tenth of its pace.
            with self.traces.named(self.place.pipeline.name, delivery, event):
                observe()
        if self.traces.on:
            self.traces.decided(self.place, Decision(delivery, event, decided, settled, started, now))
        return settled

    def _decode(self, taken: Taken) -> Any:
        """The event, or what becomes of a record that has none, or that must not be run."""
        if taken.verdict:
            return DeadLetter(Failure.CRASHES_WORKER, taken.verdict)
        delivery = taken.delivery
        try:
            if delivery.value is None:
                raise Failed(Failure.INVALID_EVENT, "the record has no value: a tombstone is no document")
            event = self.codec.decode(delivery.value, self.place.stage.takes)
            if not event.document_id:
                raise Failed(Failure.INVALID_EVENT, "the document_id is empty: give every document a name of its own")
            if delivery.key != event.document_id.encode():
                key = "no key" if delivery.key is None else f"the key {delivery.key[:80]!r}"
                raise Failed(
                    Failure.INVALID_EVENT, f"{key}, but document_id {event.document_id!r}: they must be the same"
                )
            return event
        except Failed as error:
            waited = self.now() - delivery.appended_at
            if error.failure is Failure.UNKNOWN_SCHEMA and waited < SCHEMA_PATIENCE:
                return Park("schemas", error.message, after=2.0)
            return DeadLetter(error.failure, error.message)


class Guard:
    """Stands around a handler's call: an error inside becomes `outcome`, unless it is no document's fault."""

    outcome: Any = None
    """What the handler returned, or what its error stands for."""

    def __enter__(self) -> "Guard":
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, asyncio.CancelledError) and not _we_are_cancelled():
            self.outcome = Retry(Failure.INTERNAL, "something the handler waited for was cancelled")
            return True
        if not isinstance(error, Exception):
            return False
        self.outcome = outcome_of(error)
        return True


def _we_are_cancelled() -> bool:
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def outcome_of(error: Exception) -> Outcome[Any]:
    """The outcome an error stands for; what a pipeline says otherwise about its class, `settle` applies.

    Raises Misconfigured again: that is no document's fault.
    """
    match error:
        case Misconfigured():
            raise error
        case Unavailable():
            return Park(error.dependency, error.message, error.after)
        case Failed():
            return traced(DEFAULT.failing(error.failure, error.message, error.after), error)
        case _:
            return traced(Retry(Failure.INTERNAL, f"{type(error).__name__}: {error}"), error)


def traced(outcome: Retry | DeadLetter | Park, error: Exception) -> Outcome[Any]:
    """The outcome with what is kept beside it: the calls that were made and the chain of causes."""
    if isinstance(outcome, Park):
        return outcome
    return replace(outcome, calls=tuple(getattr(error, "calls", ())), causes=chain_of(error))
