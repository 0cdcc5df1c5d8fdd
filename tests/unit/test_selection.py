"""Which dead letters are meant, and expressions that point at where they go wrong."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core.errors import Misconfigured
from shared.core.event import Position
from shared.core.failures import Failure
from shared.core.headers import History
from shared.kafka.dead_letters import Letter
from shared.kafka.selection import Selection, compiled, holds, name_of
from tests.pipeline.tiny.pipeline import TRIAGE
from tests.unit.records import NOW, TOPIC, delivery, ticket


class OneEvent:
    """A codec that reads the same event in every record."""

    def __init__(self, event: Any) -> None:
        self.event = event

    def encode(self, event: Any) -> bytes:
        raise AssertionError("nothing is written here")

    def decode(self, data: bytes, takes: Any) -> Any:
        return self.event


HISTORY = History("triage", Failure.CORRUPT, "page 3 is torn", 3, NOW, NOW, Position(TOPIC, 0, 0))
LETTER = Letter(TRIAGE, delivery(4, headers=HISTORY.to_headers(), topic="t.triage.dlq"))
CODEC = OneEvent(ticket("printer on fire"))


@pytest.mark.parametrize(
    ("chosen", "taken"),
    [
        (Selection(), True),
        (Selection(ids=frozenset({"triage/0/4"})), True),
        (Selection(ids=frozenset({"triage/0/5"})), False),
        (Selection(failure="corrupt", stage="triage", document="t1"), True),
        (Selection(failure="encrypted"), False),
        (Selection(causes=frozenset({LETTER.cause, "x"})), True),
        (Selection(causes=frozenset({"x"})), False),
        (Selection(attempts=3), True),
        (Selection(attempts=4), False),
        (Selection(since=NOW), True),
        (Selection(since=NOW + timedelta(seconds=1)), False),
        (Selection(until=NOW), False),
        (Selection(until=NOW + timedelta(seconds=1)), True),
        (Selection(document_type="invoice"), False),
        (Selection(where="contains(subject, 'fire')"), True),
        (Selection(where="subject == 'printer'"), False),
        (Selection(where="length(missing) > `1`"), False),
    ],
)
def test_every_part_that_is_given_must_hold(chosen: Selection, taken: bool) -> None:
    assert chosen.takes(LETTER, CODEC) is taken


@pytest.mark.parametrize(
    ("expression", "place"), [("subject ==", 10), ("a b", 2), ("[?x", 3), ("a.", 2), ("foo(a,", 6), ("'", 0)]
)
def test_a_wrong_expression_is_pointed_at(expression: str, place: int) -> None:
    with pytest.raises(Misconfigured) as found:
        compiled(expression)
    _, line, pointer = str(found.value).splitlines()
    assert line == f"  {expression}"
    assert pointer.index("^") - 2 <= place <= len(expression)


@pytest.mark.parametrize("expression", ["nonsense(a)", "length(a, b)", "(" * 5000 + "a" + ")" * 5000])
def test_what_no_event_could_make_right_is_refused_at_once(expression: str) -> None:
    with pytest.raises(Misconfigured):
        compiled(expression)


def test_nothing_is_true_of_what_cannot_be_read() -> None:
    assert not holds("`true`", None)
    assert holds("`true`", ticket())


def test_the_same_selection_has_the_same_name_and_another_one_another() -> None:
    one = Selection(causes=frozenset({"b", "a"}), since=NOW)
    assert name_of(one.said) == name_of(replace(one, causes=frozenset({"a", "b"})).said)
    assert name_of(one.said) != name_of(replace(one, since=NOW + timedelta(1)).said)
