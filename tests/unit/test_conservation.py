"""The conservation law on plain facts: a clean run holds in whatever order it is read, and every plant is found."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from shared.core.conservation.facts import DOUBLED, MISSING, UNEXPLAINED, Decision, Kept, Seen
from shared.core.conservation.flow import DESK, child, flow_of
from shared.core.conservation.verdict import Question, Verdict, confirmed, verdict
from shared.core.event import derived_id
from shared.core.shelves import Kind
from shared.pipelines.documents import DOCUMENTS

FLOW = flow_of(DOCUMENTS, rejections=True)
WAY = ("extract", "classify", "analyze", "validate", "store")


class World:
    """Facts of a pipeline at rest, to which wrongs can be done."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.stored: dict[str, int] = {}
        self.reviews: dict[str, Decision] = {}
        self.accepted: dict[str, str] = {}
        self.sent = 0
        self._next = 0

    def put(self, kind: Kind, stage: str, document: str, **more: object) -> Seen:
        """One record; done unless said otherwise."""
        self._next += 1
        topic = "results" if kind is Kind.RESULT else f"{stage}.{kind}"
        facts = {"sure": True, "maybe": True, "batch": "b1"} | more
        seen = Seen(kind=kind, place=f"{topic}/0/{self._next}", document=document, stage=stage, **facts)  # type: ignore[arg-type]
        self.seen.append(seen)
        return seen

    def walk(self, document: str, upto: int = 5, **last: object) -> Seen:
        """A document that has come to the input of a stage; all before that one are done."""
        seen = self.put(Kind.INPUT, WAY[0], document, **(last if upto == 0 else {}))
        for number in range(1, min(upto, 4) + 1):
            event_id = derived_id(seen.token, WAY[number - 1], 0)
            seen = self.put(Kind.INPUT, WAY[number], document, event_id=event_id, **(last if upto == number else {}))
        return seen

    def store(self, document: str, state: str = "stored", version: int = 1) -> Seen:
        """A document that went through."""
        last = self.walk(document)
        self.stored[document] = version
        event_id = derived_id(last.token, "store", 0)
        return self.put(Kind.RESULT, "", document, event_id=event_id, state=state, version=version)

    def ask(self, document: str, decision: str = "", sequence: int = 0) -> Seen:
        """A document of which classify has asked a person."""
        at = self.walk(document, 1)
        asked = self.put(Kind.REVIEW, "classify", document, event_id=derived_id(at.token, "classify", 0))
        self.reviews[asked.place] = Decision(decision, sequence)
        self.sent = max(self.sent, sequence)
        return asked

    def bury(self, document: str, state: str = "") -> Seen:
        """A document that classify gave up."""
        at = self.walk(document, 1)
        return self.put(Kind.LETTER, "classify", document, event_id=at.event_id, origin=at.place, state=state)

    def judge(self, question: Question = Question()) -> Verdict:  # noqa: B008
        """What the audit says, whatever the order of reading."""
        random.Random(self._next).shuffle(self.seen)
        documents: dict[str, list[Seen]] = {}
        for seen in self.seen:
            documents.setdefault(seen.document, []).append(seen)
        return verdict(documents, self.kept(), FLOW, question)

    def kept(self) -> Kept:
        """What the tables keep."""
        return Kept(self.stored, self.reviews, self.accepted, (self.sent, self.sent))


@pytest.fixture
def world() -> World:
    """One document of each fate, and nothing wrong."""
    return each_fate()


def each_fate() -> World:
    """One document of each fate."""
    made = World()
    for number in range(3):
        made.store(f"stored-{number}")
    made.store("superseded", "superseded", 1)
    made.store("deduplicated", "deduplicated")
    made.bury("dead")
    letter = made.bury("discarded", "discarded")
    made.put(
        Kind.RESULT, "", "discarded", event_id=derived_id(letter.place, "discarded", 0), state="discarded", version=1
    )
    made.ask("asked")
    made.walk("waiting", 2, sure=False, maybe=False)
    at = made.walk("held", 1)
    made.put(Kind.RETRY, "classify", "held", event_id=at.event_id, origin=at.place, sure=False, maybe=False)
    at = made.walk("parked", 2)
    made.put(Kind.PARKED, "analyze", "parked", event_id=at.event_id, origin=at.place, sure=False, maybe=False)
    letter = made.bury("replayed", "replayed")
    made.put(Kind.INPUT, "classify", "replayed", event_id=letter.event_id, replayed=letter.place)
    last = made.put(Kind.INPUT, "store", "replayed", event_id=derived_id(letter.event_id, "classify", 0))
    made.stored["replayed"] = 1
    made.put(Kind.RESULT, "", "replayed", event_id=derived_id(last.event_id, "store", 0), state="stored", version=1)
    asked = made.ask("rejected", "reject", 1)
    made.stored["rejected"] = 1
    made.put(Kind.RESULT, "", "rejected", event_id=child(asked.event_id, DESK), state="rejected", version=1)
    asked = made.ask("approved", "approve", 2)
    made.put(Kind.INPUT, "analyze", "approved", event_id=asked.event_id, sure=False, maybe=False)
    made.accepted = {"stored-0": "b1"}
    return made


def test_a_clean_run_holds_and_balances(world: World) -> None:
    found = world.judge()
    assert found.findings == []
    assert found.balance == 0
    assert found.published == found.documents == 14
    assert found.states == {
        "stored": 4,
        "superseded": 1,
        "deduplicated": 1,
        "dead-lettered": 1,
        "discarded": 1,
        "in-review": 1,
        "waiting": 2,
        "in-retry": 1,
        "parked": 1,
        "rejected": 1,
    }


def one(world: World, document: str, kind: Kind, stage: str = "") -> Seen:
    [found] = [s for s in world.seen if (s.document, s.kind) == (document, kind) and stage in ("", s.stage)]
    return found


def drop(world: World, document: str, kind: Kind, stage: str = "") -> None:
    world.seen.remove(one(world, document, kind, stage))


def again(world: World, document: str, kind: Kind, stage: str = "") -> None:
    known = one(world, document, kind, stage)
    world.seen.append(replace(known, place=f"{known.place}9"))


def moved_past(world: World, document: str, kind: Kind) -> None:
    [open_one] = [s for s in world.seen if (s.document, s.kind, s.sure) == (document, kind, False)]
    world.seen.remove(open_one)
    world.seen.append(replace(open_one, sure=True, maybe=True))


def stored_by_another(world: World, document: str) -> None:
    at = world.put(Kind.INPUT, "store", document, event_id="another")
    world.put(Kind.RESULT, "", document, event_id=derived_id(at.token, "store", 0), state="stored", version=1)


def annotate(world: World, document: str, state: str) -> None:
    letter = one(world, document, Kind.LETTER)
    world.seen.remove(letter)
    world.seen.append(replace(letter, state=state))


def went_on(world: World, document: str) -> str:
    return derived_id(one(world, document, Kind.LETTER).event_id, "classify", 0)


Plant = tuple[str, str, Callable[[World, str], object]]
PLANTS: list[Plant] = [
    (MISSING, "stored-0", lambda w, d: w.stored.pop(d)),
    (MISSING, "stored-0", lambda w, d: drop(w, d, Kind.RESULT)),
    (MISSING, "replayed", lambda w, d: [s for s in w.seen[:] if s.document == d and s.replayed and w.seen.remove(s)]),
    (MISSING, "waiting", lambda w, d: moved_past(w, d, Kind.INPUT)),
    (MISSING, "held", lambda w, d: moved_past(w, d, Kind.RETRY)),
    (MISSING, "parked", lambda w, d: moved_past(w, d, Kind.PARKED)),
    (MISSING, "held", lambda w, d: drop(w, d, Kind.RETRY)),
    (MISSING, "dead", lambda w, d: drop(w, d, Kind.LETTER)),
    (MISSING, "dead", lambda w, d: annotate(w, d, "replayed")),
    (MISSING, "discarded", lambda w, d: drop(w, d, Kind.RESULT)),
    (DOUBLED, "discarded", lambda w, d: again(w, d, Kind.RESULT)),
    (MISSING, "asked", lambda w, d: drop(w, d, Kind.REVIEW)),
    (MISSING, "asked", lambda w, d: w.reviews.pop(one(w, d, Kind.REVIEW).place)),
    (MISSING, "approved", lambda w, d: drop(w, d, Kind.INPUT, "analyze")),
    (MISSING, "rejected", lambda w, d: drop(w, d, Kind.RESULT)),
    (MISSING, "never", lambda w, d: w.accepted.update({d: "b1"})),
    (DOUBLED, "stored-1", lambda w, d: again(w, d, Kind.RESULT)),
    (DOUBLED, "stored-1", lambda w, d: again(w, d, Kind.INPUT, "analyze")),
    (DOUBLED, "stored-1", stored_by_another),
    (DOUBLED, "dead", lambda w, d: again(w, d, Kind.LETTER)),
    (DOUBLED, "asked", lambda w, d: again(w, d, Kind.REVIEW)),
    (DOUBLED, "parked", lambda w, d: again(w, d, Kind.PARKED)),
    (DOUBLED, "replayed", lambda w, d: annotate(w, d, "")),
    (DOUBLED, "rejected", lambda w, d: again(w, d, Kind.RESULT)),
    (DOUBLED, "dead", lambda w, d: w.put(Kind.INPUT, "analyze", d, event_id=went_on(w, d))),
    (UNEXPLAINED, "nobody", lambda w, d: w.put(Kind.RESULT, "", d, event_id="e", state="superseded", version=None)),
    (UNEXPLAINED, "nobody", lambda w, d: w.put(Kind.RETRY, "store", d, event_id="e", origin="documents.store/0/7")),
    (UNEXPLAINED, "stored-2", lambda w, d: w.put(Kind.INPUT, "store", d, event_id="e", replayed="x/0/1", sure=False)),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(PLANTS)))
def test_every_plant_is_found_and_its_document_named(world: World, number: int) -> None:
    kind, document, plant = PLANTS[number]
    plant(world, document)
    assert {(one.kind, one.document) for one in world.judge().findings} >= {(kind, document)}
    assert {one.document for one in world.judge().findings} == {document}


def test_what_was_completed_while_the_audit_read_is_neither_missing_nor_doubled(world: World) -> None:
    """The outputs of a record that was completed between the two looks at progress may be there or not."""
    before = world.judge()
    at = world.walk("moving", 1, sure=False)
    assert world.judge().holds
    assert world.judge().states["waiting"] == before.states["waiting"] + 1
    world.put(Kind.INPUT, "analyze", "moving", event_id=derived_id(at.token, "classify", 0), sure=False, maybe=False)
    found = world.judge()
    assert (found.findings, found.balance) == ([], 0)
    assert found.states["waiting"] == before.states["waiting"] + 1


def test_a_decision_that_the_relay_has_not_sent_waits(world: World) -> None:
    asked = world.ask("decided", "approve", 9)
    documents = {"decided": [one for one in world.seen if one.document == "decided"]}
    found = verdict(documents, Kept(reviews={asked.place: Decision("approve", 9)}, sent=(8, 8)), FLOW, Question())
    assert (found.findings, dict(found.states)) == ([], {"waiting": 1})


def test_a_cancelled_document_is_dropped_where_it_was_and_its_end_explains_it(world: World) -> None:
    world.walk("dropped", 2)
    world.put(Kind.RESULT, "", "dropped", event_id="whatever", state="cancelled", version=1)
    world.walk("about to be", 2, sure=False, maybe=False)
    world.put(Kind.RESULT, "", "about to be", event_id="whatever", state="cancelled", version=1)
    before = world.judge()
    assert (before.findings, before.balance) == ([], 0)
    assert (before.states["cancelled"], before.states["waiting"]) == (1, 3)


def test_records_from_outside_enter_wherever_somebody_puts_them() -> None:
    """Keyless rubbish in an input, and a letter that nobody of us wrote, are counted and are no loss."""
    world = World()
    rubbish = world.put(Kind.INPUT, "analyze", "")
    world.put(Kind.LETTER, "analyze", "", origin=rubbish.place)
    world.put(Kind.LETTER, "store", "d9")
    world.put(Kind.RETRY, "store", "d9", sure=False, maybe=False)
    found = world.judge()
    assert (found.findings, found.balance, found.entered) == ([], 0, 3)
    assert found.states == {"dead-lettered": 2, "in-retry": 1}


def test_events_without_ids_are_matched_by_document() -> None:
    world = World()
    world.put(Kind.INPUT, "extract", "d1")
    world.put(Kind.INPUT, "classify", "d1")
    assert [one.stage for one in world.judge().findings] == ["classify"]
    world.put(Kind.INPUT, "store", "d1", sure=False, maybe=False)
    assert (world.judge().findings, world.judge().balance) == ([], 0)
    world.put(Kind.RESULT, "", "d1", state="stored")
    assert [(one.kind, one.document) for one in world.judge().findings] == [(UNEXPLAINED, "d1")]


def test_an_event_about_another_document_is_found_there() -> None:
    world = World()
    whole = world.put(Kind.INPUT, "extract", "book")
    world.put(
        Kind.INPUT, "classify", "chapter", event_id=derived_id(whole.token, "extract", 0), sure=False, maybe=False
    )
    found = world.judge()
    assert (found.findings, found.published, found.entered) == ([], 1, 0)


def test_several_events_of_one_record_are_split_off() -> None:
    world = World()
    whole = world.put(Kind.INPUT, "extract", "book")
    for index in range(3):
        event_id = derived_id(whole.token, "extract", index)
        world.put(Kind.INPUT, "classify", "book", event_id=event_id, sure=False, maybe=False)
    found = world.judge()
    assert (found.findings, found.split, found.balance) == ([], 2, 0)


def test_a_batch_and_a_stage_are_judged_alone(world: World) -> None:
    world.put(Kind.INPUT, "extract", "lost", batch="b2")
    assert world.judge(Question(batch="b1")).published == 14
    assert [one.document for one in world.judge(Question(batch="b2")).findings] == ["lost"]
    assert world.judge(Question(stage="store")).holds
    assert not world.judge(Question(stage="extract")).holds
    assert list(world.judge(Question(stage="extract")).stages) == ["extract"]


def test_only_what_two_audits_find_is_told(world: World) -> None:
    world.walk("lost", 1)
    first = world.judge().findings
    world.walk("lost too", 1)
    second = world.judge().findings
    assert confirmed(second, first) == first
