"""What every call ledger does: a recorded result is found again, and a repeat is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from shared.core.ledger import Begun, Intent, State, call_fingerprint
from shared.ports import Ledger
from tests.contract.conftest import Place
from tests.ledgers import SCOPE, again, ended, intent_of

ANSWER = '{"text": "the answer"}'


@pytest.fixture
def intent(place: Place) -> Intent:
    """The first try of a request that no other test makes."""
    return intent_of("a question", replace(SCOPE, pipeline=place.name))


async def test_a_new_request_has_no_result_and_is_no_repeat(ledger: Ledger, intent: Intent) -> None:
    assert await ledger.begin(intent) == Begun()


async def test_an_accepted_result_is_found_by_every_operation(ledger: Ledger, intent: Intent) -> None:
    await ledger.begin(intent)
    stands = await ledger.end(ended(intent, State.ACCEPTED))
    assert stands.intent.ticket == intent.ticket
    for operation in ("", "documents.analyze/0/99"):
        found = (await ledger.begin(again(intent, operation))).found
        assert found is not None
        assert (found.state, found.result, found.milliseconds) == (State.ACCEPTED, ANSWER, 412)
        assert found.intent.scope.operation == intent.scope.operation


async def test_a_rejected_answer_is_found_inside_its_operation_only(ledger: Ledger, intent: Intent) -> None:
    await ledger.begin(intent)
    await ledger.end(ended(intent, State.REJECTED))
    found = (await ledger.begin(again(intent))).found
    assert found is not None
    assert (found.state, found.failure) == (State.REJECTED, "refusal")
    assert await ledger.begin(again(intent, "documents.analyze/0/99")) == Begun()


async def test_a_failed_call_holds_up_no_later_try_and_makes_it_no_repeat(ledger: Ledger, intent: Intent) -> None:
    await ledger.begin(intent)
    await ledger.end(ended(intent, State.FAILED, ""))
    assert await ledger.begin(again(intent)) == Begun()


async def test_a_try_after_an_intent_without_an_end_is_a_repeat(ledger: Ledger, intent: Intent) -> None:
    await ledger.begin(intent)
    second = again(intent)
    assert await ledger.begin(second) == Begun(repeat=True)
    await ledger.end(ended(second, State.ACCEPTED))
    assert (await ledger.begin(again(intent))).found is not None


async def test_an_intent_told_twice_is_one_try(ledger: Ledger, intent: Intent) -> None:
    await ledger.begin(intent)
    assert await ledger.begin(intent) == Begun()
    second = again(intent)
    assert await ledger.begin(second) == await ledger.begin(second) == Begun(repeat=True)


async def test_the_first_accepted_result_stays_and_is_what_the_slower_one_gets(ledger: Ledger, intent: Intent) -> None:
    old, new = intent, again(intent)
    await ledger.begin(old)
    await ledger.begin(new)
    await ledger.end(ended(old, State.ACCEPTED, '"old"'))
    stands = await ledger.end(ended(new, State.ACCEPTED, '"new"'))
    assert (stands.result, stands.intent.ticket) == ('"old"', old.ticket)
    found = (await ledger.begin(again(intent))).found
    assert found is not None
    assert found.result == '"old"'


async def test_a_former_owners_failure_does_not_end_the_newer_try(ledger: Ledger, intent: Intent) -> None:
    old, new = intent, again(intent)
    await ledger.begin(old)
    await ledger.begin(new)
    await ledger.end(ended(old, State.REJECTED, '"old"'))
    assert await ledger.begin(again(intent)) == Begun(repeat=True)


async def test_a_result_without_an_intent_is_kept_all_the_same(ledger: Ledger, intent: Intent) -> None:
    await ledger.end(ended(intent, State.ACCEPTED))
    assert (await ledger.begin(again(intent))).found is not None


async def test_many_at_once_are_each_answered_for_themselves(ledger: Ledger, intent: Intent) -> None:
    names = [call_fingerprint(intent.scope, [str(number)]) for number in range(600)]
    intents = [replace(again(intent), fingerprint=name) for name in names]
    assert await asyncio.gather(*map(ledger.begin, intents)) == [Begun()] * len(intents)
    await asyncio.gather(*(ledger.end(ended(one, State.ACCEPTED, f'"{one.ticket}"')) for one in intents))
    begun = await asyncio.gather(*(ledger.begin(again(one)) for one in intents))
    assert [one.found and one.found.result for one in begun] == [f'"{one.ticket}"' for one in intents]


async def test_the_same_request_from_many_at_once_is_answered_at_once(ledger: Ledger, intent: Intent) -> None:
    begun = await asyncio.gather(*(ledger.begin(again(intent)) for _ in range(20)))
    assert [one.repeat for one in begun].count(False) == 1


async def test_what_no_table_holds_as_it_is_takes_nobody_down(ledger: Ledger, intent: Intent) -> None:
    odd = replace(intent, scope=replace(intent.scope, document_id="a\0b"), task="t\0")
    plain = replace(again(intent), fingerprint=call_fingerprint(intent.scope, ["another"]))
    assert await asyncio.gather(ledger.begin(odd), ledger.begin(plain)) == [Begun(), Begun()]
    await ledger.end(ended(odd, State.ACCEPTED, '{"text": "nul \\u0000 and \\ud800"}'))
    found = (await ledger.begin(again(odd))).found
    assert found is not None
    assert found.result == '{"text": "nul \\u0000 and \\ud800"}'
