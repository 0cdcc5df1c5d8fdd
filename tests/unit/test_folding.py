"""What is kept of documents whose records may be deleted, on plain facts."""

from dataclasses import replace

import pytest

from shared.core.conservation.facts import Seen
from shared.core.conservation.folding import ANY_VERSION, Page, add_tally, packed, page_of, settled_tallies, unpacked
from shared.core.conservation.verdict import Question, Verdict, verdict
from shared.core.event import derived_id
from shared.core.shelves import Kind
from tests.unit.test_conservation import FLOW, World, each_fate

OPEN = {"dead", "asked", "waiting", "held", "parked", "approved"}
"""Documents of the world that have not ended."""


@pytest.fixture
def world() -> World:
    return each_fate()


def pages_of(world: World) -> dict[str, Page]:
    """A page of each document."""
    documents: dict[str, list[Seen]] = {}
    for seen in world.seen:
        documents.setdefault(seen.document, []).append(seen)
    return {document: page_of(document, facts, world.kept(), FLOW) for document, facts in documents.items()}


def test_what_has_ended_is_settled_and_nothing_else(world: World) -> None:
    pages = pages_of(world)
    assert {name for name, page in pages.items() if not page.settled} == OPEN
    assert all(page.tally == {} for page in pages.values() if not page.settled)


def test_settled_documents_add_to_a_verdict_what_they_added_before(world: World) -> None:
    pages = pages_of(world)
    whole = world.judge()
    open_ones = {name: page.facts for name, page in pages.items() if not page.settled}
    found = verdict(open_ones, replace(world.kept(), accepted={}), FLOW, Question())
    for tally, times in settled_tallies(list(pages.values())):
        add_tally(found, tally, times)
    assert found == whole


def test_facts_come_back_as_they_were_without_what_is_known_anew(world: World) -> None:
    hostile = world.put(Kind.INPUT, "store", "nul\0 \ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"))
    back = unpacked(packed(world.seen))
    letters = {seen.place for seen in world.seen if seen.kind is Kind.LETTER}
    assert [
        replace(one, sure=False, maybe=False, state="" if one.place in letters else one.state) for one in world.seen
    ] == back
    assert hostile.document in {one.document for one in back}


def test_a_document_with_a_finding_or_under_way_is_not_settled() -> None:
    world = World()
    world.put(Kind.INPUT, "extract", "lost")
    world.walk("moving", 2, sure=False, maybe=True)
    assert not any(page.settled for page in pages_of(world).values())


def test_what_may_have_come_about_another_document_is_not_settled() -> None:
    world = World()
    whole = world.put(Kind.INPUT, "extract", "book")
    world.stored["chapter"] = 1
    at = world.put(Kind.INPUT, "store", "chapter", event_id=derived_id(whole.token, "extract", 0))
    world.put(Kind.RESULT, "", "chapter", event_id=derived_id(at.token, "store", 0), state="stored", version=1)
    assert not any(page.settled for page in pages_of(world).values())


def test_a_decision_that_may_not_have_been_sent_is_not_settled() -> None:
    world = World()
    world.ask("asked", "approve", 7)
    world.sent = 6
    assert not pages_of(world)["asked"].settled


def test_a_page_tells_which_rows_have_to_stand_in_the_tables(world: World) -> None:
    pages = pages_of(world)
    assert pages["stored-0"].version == 1
    assert pages["superseded"].version == ANY_VERSION
    assert pages["waiting"].version is None
    assert pages["rejected"].reviews == (next(iter(p for p in world.reviews if p in pages["rejected"].reviews)),)
    assert list(pages["discarded"].letters.values()) == ["discarded"]


def test_no_documents_add_nothing() -> None:
    found = Verdict()
    for tally, times in settled_tallies([]):
        add_tally(found, tally, times)
    assert found == Verdict()
