"""The screen of one document: 80 columns, every state says what it waits for, and nothing steers the terminal."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.cli.outlook import Outlook
from shared.cli.page import laid, length, screen
from shared.core.expectation import Expectation
from shared.core.stuck import Shut
from shared.core.way import Branch
from shared.kafka.whereabouts import Whereabouts
from tests.unit.test_passes import NOW

WHERE = Whereabouts(document_id="d1", state="waiting", since=NOW - timedelta(seconds=65), stage="analyze")
OUTLOOK = Outlook(
    ripe_at=WHERE.since,
    attempts=3,
    before=1200,
    next=(Branch(("validate", "store"), ("technical",)), Branch(("store",))),
    expected=Expectation(
        half=NOW + timedelta(seconds=40),
        most=NOW + timedelta(days=1),
        documents=212,
        document_type="invoice",
        ways={"ended": 210, "review": 2},
    ),
)
SHUT = Shut("model:sim-large", NOW - timedelta(seconds=20), "5 failures in a row, the last: connection", 83.0)


def said(where: Whereabouts = WHERE, outlook: Outlook | None = OUTLOOK) -> str:
    lines = screen(where, outlook, None, None, NOW)
    assert all(len(line) <= 80 for line in lines)
    assert len(lines) < 24
    return "\n".join(lines)


def test_it_says_where_since_when_what_for_what_next_and_until_when() -> None:
    assert said().splitlines() == [
        "document id  d1",
        "state        waiting at analyze",
        "since        11:58:55 UTC (1 min 5 s ago)",
        "waits for    its turn at analyze, or it is being worked on: 1,200 came before it",
        "next         validate > store > results (when technical)",
        "or           store > results",
        "expected     half of such documents by 12:00:40 UTC, 95 of 100 by 2026-03-02",
        "             12:00 UTC",
        "             from 212 documents of type invoice: 210 ended, 2 went to a person",
    ]


@pytest.mark.parametrize(
    ("where", "outlook", "words"),
    [
        (replace(WHERE, state="in-retry"), replace(OUTLOOK, ripe_at=NOW + timedelta(seconds=9)), "due by 12:00:09 UTC"),
        (replace(WHERE, state="in-retry"), OUTLOOK, "its time came 1 min 5 s ago"),
        (replace(WHERE, state="parked", message="waits for budget:day"), OUTLOOK, "budget:day, which is spent"),
        (replace(WHERE, state="parked", message="waits for document"), OUTLOOK, "an older record"),
        (replace(WHERE, state="in-review", position="documents.review/1/2"), OUTLOOK, "show documents.review/1/2`"),
        (replace(WHERE, state="dead-lettered", position="analyze/1/2"), OUTLOOK, "dlq show analyze/1/2`"),
        (WHERE, replace(OUTLOOK, held=(SHUT,)), "model:sim-large is open, tried again in 1 min 23 s (5"),
        (WHERE, replace(OUTLOOK, held=(replace(SHUT, reason="tripped by robin: drill"),)), "opened by hand (drill)"),
        (WHERE, replace(OUTLOOK, held=(replace(SHUT, name="analyze", reason="tripped by x: y"),)), "resume analyze`"),
        (WHERE, replace(OUTLOOK, stuck=True, limit=60.0), "(STUCK)"),
        (WHERE, replace(OUTLOOK, stuck=True, limit=60.0), "nothing that is known: beyond 1 min it counts as stuck"),
        (WHERE, replace(OUTLOOK, before=0), "the first at analyze"),
        (WHERE, replace(OUTLOOK, before=None, expected=Expectation(why="unknown, too few")), "unknown, too few"),
        (WHERE, replace(OUTLOOK, unknown=("breakers are not known: Redis",)), "not known    breakers"),
        (replace(WHERE, state="stored", stage=""), None, "stored"),
        (replace(WHERE, failure="timeout", attempts=2, message="late"), OUTLOOK, "2 of 3 failed\nfailure      timeout"),
    ],
)
def test_every_state_says_what_it_waits_for(where: Whereabouts, outlook: Outlook | None, words: str) -> None:
    assert words in said(where, outlook)


def test_what_came_from_outside_is_cut_and_cannot_steer_the_terminal() -> None:
    told = said(replace(WHERE, document_id="d\x1b[2J\n1", failure="internal", message="word " * 1000 + "x" * 5000))
    assert "\x1b" not in told
    assert told.splitlines()[-1].endswith("a person")
    assert all(len(line) <= 80 for line in laid("field " + "y" * 300, "z" * 300))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.4, "59 s"), (60, "1 min"), (3599.7, "1 h"), (3700, "1 h 1 min"), (200_000, "2 d 7 h")],
)
def test_lengths_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert length(seconds) == words
