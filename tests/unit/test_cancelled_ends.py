"""What ends in a stage that stores, in a cheap one, and what is told of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from schemas.events import DocumentClassified, DocumentResult
from services.store.stage import store
from shared.codec.avro import AvroCodec
from shared.core.cancellation import CANCELLED, EPOCH, Cancellation
from shared.core.context import Context
from shared.core.errors import Unavailable
from shared.core.outcome import Cancelled, Emit, Outcome
from shared.core.settle import Place, Settled, settle
from shared.memory.results import MemoryResults
from shared.pipelines.document_results import result_of, row_of
from shared.pipelines.documents import CLASSIFY, DOCUMENTS, STORE
from shared.pipelines.ended import ended
from shared.runtime.flow.cancelling import Cancelling, ending
from shared.runtime.flow.layers import Layers
from shared.runtime.flow.share import Taken
from tests.unit.documents import analysis, analyzed, classified
from tests.unit.records import NOW, delivery, owning, ticket
from tests.unit.test_cancellation import of_document, submitted

CODEC = AvroCodec((DocumentClassified, DocumentResult))


@dataclass
class StoreContext:
    """What the store stage is handed."""

    results: MemoryResults
    now: Any = NOW


class Away(MemoryResults):
    """A table that cannot be asked."""

    async def brought(self, events: Sequence[tuple[str, str]]) -> frozenset[str]:
        raise Unavailable("database", "down", after=2.0)


@dataclass
class Storing:
    """The store stage, on a table in memory."""

    results: MemoryResults = field(default_factory=MemoryResults)
    outcomes: list[Outcome[Any]] = field(default_factory=list)

    async def decide(self, documents: Sequence[DocumentClassified], *words: Cancellation) -> Sequence[Settled]:
        cancelling = Cancelling(results=self.results)
        cancelling.told((word.key, word.to_json()) for word in words)
        context = cast(Context, StoreContext(self.results))
        layers = Layers(
            Place(DOCUMENTS, STORE), store, CODEC, lambda *_: context, lambda: NOW, self.observe, cancelling
        )
        return await layers.batch(taken(documents))

    def observe(self, _: Any, outcome: Outcome[Any], *__: Any, **___: Any) -> None:
        self.outcomes.append(outcome)

    def states(self) -> list[str]:
        """How each ended."""
        ends = [one.end if isinstance(one, Cancelled) else one.events[0] for one in self.outcomes]  # type: ignore[union-attr]
        return [cast(DocumentResult, end).state for end in ends]


def taken(documents: Sequence[DocumentClassified]) -> list[Taken]:
    records = ((one.document_id.encode(), CODEC.encode(one)) for one in documents)
    return owning(0).take(delivery(n, key=key, value=value) for n, (key, value) in enumerate(records))


def document(name: str, event_id: str = "e1") -> DocumentClassified:
    return replace(classified("text"), document_id=name, event_id=event_id)


async def test_what_is_cancelled_is_not_stored_and_the_rest_of_the_batch_is() -> None:
    storing = Storing()
    await storing.decide([document("a"), document("b"), document("c")], of_document("b"))
    assert storing.states() == ["stored", "cancelled", "stored"]
    assert await storing.results.find("b") is None


async def test_what_was_stored_before_a_crash_is_told_as_stored_though_it_was_cancelled_since() -> None:
    storing = Storing()
    one = document("a", "e1")
    await storing.results.upsert([row_of(one, result_of(one, "stored", NOW))])
    # The same event again is that crash; another event of the document has not been stored.
    await storing.decide([one, document("a", "e2")], of_document("a"))
    assert storing.states() == ["stored", "cancelled"]


async def test_where_it_cannot_be_told_what_is_stored_the_batch_waits() -> None:
    storing = Storing(Away())
    settled = await storing.decide([document("a"), document("b")], of_document("b"))
    assert [one.dependency for one in settled] == ["database", "database"]


def test_a_cheap_stage_begins_nothing_of_a_cancelled_document() -> None:
    @CLASSIFY
    def refuse(found: Any, ctx: Context) -> Outcome[DocumentClassified]:
        pytest.fail("it was begun")

    cancelling = Cancelling()
    cancelling.told([(of_document("a").key, of_document("a").to_json())])
    # Any event will do for the stage's codec here.
    place = Place(DOCUMENTS, replace(CLASSIFY, takes=(DocumentClassified,)))
    layers = Layers(
        place, refuse, CODEC, lambda *_: cast(Context, None), lambda: NOW, lambda *_, **__: None, cancelling
    )
    [one] = taken([document("a")])
    assert layers.cancels(one)
    [write] = layers.cheap(one).writes
    assert (write.topic, cast(DocumentResult, write.value).state) == ("documents.results", CANCELLED)


def test_the_end_has_a_name_that_a_repeat_has_too_and_nothing_else() -> None:
    outcome = ending(submitted(), of_document(), NOW)
    place = Place(DOCUMENTS, DOCUMENTS.first)
    first, again = (settle(place, delivery(7), submitted(), outcome, NOW).writes[0].value for _ in range(2))
    assert first == again
    [usual] = settle(Place(DOCUMENTS, STORE), delivery(7), submitted(), Emit(cast(Any, outcome.end)), NOW).writes
    assert cast(DocumentResult, first).event_id != cast(DocumentResult, usual.value).event_id
    assert cast(DocumentResult, first).event_id


def test_an_end_tells_what_is_known_of_the_document_and_what_it_has_cost() -> None:
    known = analyzed(classified("text"), analysis({"total": "1"}))
    told = ended(known, "d-1", CANCELLED, "why", NOW)
    assert (told.document_type, told.track, told.confidence) == ("invoice", "technical", 1.0)
    assert told.cost_usd == sum(call.cost_usd for call in known.analysis.calls)
    assert told.submitted_at == known.submission.submitted_at


def test_an_end_can_be_told_of_an_event_that_knows_none_of_it() -> None:
    told = ended(ticket(), "t1", CANCELLED, "why", NOW)
    assert (told.document_id, told.tenant, told.version, told.submitted_at) == ("t1", "default", 1, NOW)
    assert ended(None, "t1", CANCELLED, "why", NOW).state == CANCELLED
    assert ended(submitted(submitted_at=EPOCH), "d1", CANCELLED, "why", NOW).submitted_at == EPOCH
