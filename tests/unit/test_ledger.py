"""The rules of the call ledger, against a model of a few lines; and the names of what is paid for."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.core import ledger as rules
from shared.core.delivery import Delivery
from shared.core.failures import Failure
from shared.core.headers import REPLAYED, History
from shared.core.ledger import Begun, Intent, Row, State, call_fingerprint, once_fingerprint, operation_of
from tests.ledgers import SCOPE, ended, intent_of
from tests.unit.records import NOW, delivery

OPERATIONS = st.sampled_from(["first", "replay"])


@dataclass
class Told:
    """What is known of the request without looking into the ledger."""

    accepted: str = ""
    rejected_in: str = ""
    holder: int = 0
    open: bool = False
    tries: dict[int, str] = field(default_factory=dict)
    """Ticket to operation, of tries that were let go ahead and have not ended."""
    calls: int = 0
    repeats: int = 0


class Calls(RuleBasedStateMachine):
    """Processes that begin, end and vanish, in any order, over one request."""

    def __init__(self) -> None:
        super().__init__()
        self.row: Row | None = None
        self.told = Told()
        self.tickets = itertools.count(1)
        self.base = intent_of("a question")

    def intent(self, operation: str, ticket: int) -> Intent:
        return replace(self.base, scope=replace(SCOPE, operation=operation), ticket=ticket)

    @rule(operation=OPERATIONS)
    def begin(self, operation: str) -> None:
        ticket = next(self.tickets)
        self.row, begun = rules.begin(self.row, self.intent(operation, ticket))
        told = self.told
        if told.accepted:
            assert begun.found
            assert begun.found.result == told.accepted
        elif told.rejected_in == operation:
            assert begun.found
            assert begun.found.state is State.REJECTED
        else:
            assert begun == Begun(repeat=told.open)
            told.repeats += told.open
            told.holder, told.open, told.rejected_in = ticket, True, ""
            told.tries[ticket] = operation
            told.calls += 1

    @precondition(lambda self: self.told.tries)
    @rule(data=st.data(), state=st.sampled_from([State.ACCEPTED, State.REJECTED, State.FAILED]), twice=st.booleans())
    def end(self, data: st.DataObject, state: State, twice: bool) -> None:
        told = self.told
        ticket = data.draw(st.sampled_from(sorted(told.tries)))
        operation = told.tries.pop(ticket)
        record = ended(self.intent(operation, ticket), state, f'"{ticket}"')
        for _ in range(1 + twice):
            self.row, stands = rules.end(self.row, record)
        assert stands.result == (told.accepted or f'"{ticket}"')
        if told.accepted:
            return
        if state is State.ACCEPTED:
            told.accepted, told.open = f'"{ticket}"', False
        elif ticket == told.holder:
            told.open, told.rejected_in = False, operation if state is State.REJECTED else ""

    @precondition(lambda self: self.told.tries)
    @rule(data=st.data())
    def told_again(self, data: st.DataObject) -> None:
        """A spool tells a try of the holder once more: nothing changes."""
        ticket = data.draw(st.sampled_from(sorted(self.told.tries)))
        if ticket == self.told.holder:
            before = self.row
            self.row, _ = rules.begin(self.row, self.intent(self.told.tries[ticket], ticket))
            assert self.row == before

    @invariant()
    def every_repeat_is_counted_and_every_end_once(self) -> None:
        if self.row is not None:
            assert self.row.repeats == self.told.repeats
            assert len(self.row.ended) == self.told.calls - len(self.told.tries)
            assert self.row.pending == self.told.tries.keys()
            assert self.row.cost_usd == pytest.approx(0.004 * len(self.row.ended))


TestCalls = Calls.TestCase


def test_the_same_request_has_the_same_name_for_whatever_document_and_operation() -> None:
    other = replace(SCOPE, document_id="d2", operation="documents.analyze/3/1")
    assert call_fingerprint(SCOPE, ["system", "user"]) == call_fingerprint(other, ["system", "user"])


@pytest.mark.parametrize("name", ["pipeline", "stage", "tenant"])
def test_nothing_is_shared_between_pipelines_stages_or_tenants(name: str) -> None:
    other = replace(SCOPE, **{name: "other"})
    assert call_fingerprint(SCOPE, ["question"]) != call_fingerprint(other, ["question"])
    assert once_fingerprint(SCOPE, b"content", "key") != once_fingerprint(other, b"content", "key")


def test_a_part_cannot_pass_for_the_end_of_the_one_before_it() -> None:
    names = {
        call_fingerprint(SCOPE, parts)
        for parts in (["ab", "c"], ["a", "bc"], ["abc"], ["", "abc"], ["abc", ""], ["2:ab", "c"])
    }
    assert len(names) == 6


def test_a_step_is_one_of_its_content_its_document_and_its_key() -> None:
    other = replace(SCOPE, document_id="d2")
    names = {
        once_fingerprint(SCOPE, b"content", "page 1"),
        once_fingerprint(SCOPE, b"content", "page 2"),
        once_fingerprint(SCOPE, b"changed", "page 1"),
        once_fingerprint(other, b"content", "page 1"),
        call_fingerprint(SCOPE, ["content", "page 1"]),
    }
    assert len(names) == 5


def retried(record: Delivery, offset: int) -> Delivery:
    """The record as its retry topic brings it."""
    history = History("triage", Failure.OVERLOADED, "busy", 1, NOW, NOW, record.origin)
    return delivery(offset, topic="tickets.triage.retry.5s", headers=history.to_headers())


def test_a_retry_belongs_to_the_operation_and_a_replay_begins_another_one() -> None:
    first = delivery(7)
    assert operation_of(first) == operation_of(retried(first, 90)) == "tickets.ingest/0/7"
    replayed = delivery(31, headers=((REPLAYED, b"tickets.triage.dlq/0/2"),))
    assert operation_of(replayed) == operation_of(retried(replayed, 91)) == "tickets.ingest/0/31"
