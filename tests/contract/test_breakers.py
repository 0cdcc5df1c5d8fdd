"""What every registry of breakers does, however many members it has."""

from __future__ import annotations

from functools import partial

from shared.core.breaker import BreakerPolicy
from shared.core.failures import Failure
from shared.ports import Breakers, BreakerState, Permit
from tests.contract.conftest import Member
from tests.state.waiting import until

POLICY = BreakerPolicy(threshold=5, recovery=30.0)
FAST = BreakerPolicy(threshold=5, recovery=0.2)
GO = Permit(allowed=True)


def fail(breakers: Breakers, times: int = 5) -> None:
    for _ in range(times):
        breakers.record("model:a", Failure.SERVER_ERROR)


async def refused(breakers: Breakers) -> bool:
    return not (await breakers.ask("model:a")).allowed


async def goes(breakers: Breakers) -> bool:
    return (await breakers.ask("model:a")) == GO


async def probes(breakers: Breakers) -> bool:
    return (await breakers.ask("model:a")).probe


async def counted(breakers: Breakers, calls: int) -> bool:
    return sum(report.calls for report in await breakers.reports()) == calls


async def test_what_nobody_knows_is_closed(member: Member) -> None:
    breakers = await member("one", POLICY)
    assert await breakers.ask("model:a") == GO
    assert list(await breakers.reports()) == []
    assert list(await breakers.events()) == []


async def test_five_failures_in_a_row_open_it_for_all_members(member: Member) -> None:
    one, two = await member("one", POLICY), await member("two", POLICY)
    fail(one)
    await until(partial(refused, one))
    await until(partial(refused, two))
    permit = await two.ask("model:a")
    assert 0 < permit.after <= 2
    [report] = await two.reports()
    assert (report.name, report.state, report.failures, report.calls) == ("model:a", BreakerState.OPEN, 5, 5)
    assert report.reason == "5 failures in a row, the last: server_error"
    assert 25 < report.reopens_in <= 30


async def test_an_answer_to_a_call_from_before_the_failures_does_not_end_their_run(member: Member) -> None:
    one, two = await member("one", POLICY), await member("two", POLICY)
    old = await one.ask("model:a")
    for _ in range(4):
        one.record("model:a", Failure.SERVER_ERROR, (await one.ask("model:a")).number)
    one.record("model:a", None, old.number)
    await until(partial(counted, two, 5))
    assert await goes(two)
    one.record("model:a", Failure.SERVER_ERROR, (await one.ask("model:a")).number)
    await until(partial(refused, two))
    [report] = await two.reports()
    assert report.reason == "5 failures in a row, the last: server_error"


async def test_a_few_that_fail_at_once_while_all_others_are_under_way_leave_it_closed(member: Member) -> None:
    one, two = await member("one", POLICY), await member("two", POLICY)
    permits = [await one.ask("model:a") for _ in range(60)]
    for permit in permits[:48:2]:
        one.record("model:a", Failure.RATE_LIMITED, permit.number)
    await until(partial(counted, two, 24))
    assert await goes(two)
    # The others were found in the ledger, or cancelled: between the failures nothing is under way any more.
    for permit in permits:
        one.leave("model:a", permit.number)
    one.record("model:a", Failure.RATE_LIMITED, (await one.ask("model:a")).number)
    await until(partial(refused, two))
    [report] = await two.reports()
    assert report.reason == "25 failures in a row, the last: rate_limited"


async def test_four_failures_and_a_success_leave_it_closed(member: Member) -> None:
    breakers = await member("one", POLICY)
    for _ in range(3):
        fail(breakers, 4)
        breakers.record("model:a", None)
    await until(partial(counted, breakers, 15))
    assert await breakers.ask("model:a") == GO


async def test_a_failure_that_is_the_documents_own_is_a_call_that_worked(member: Member) -> None:
    breakers = await member("one", POLICY)
    for _ in range(10):
        breakers.record("model:a", Failure.CONTENT_POLICY)
    await until(partial(counted, breakers, 10))
    [report] = await breakers.reports()
    assert (report.state, report.failures) == (BreakerState.CLOSED, 0)


async def test_after_recovery_one_member_probes_and_its_success_closes_it(member: Member) -> None:
    one, two = await member("one", FAST), await member("two", FAST)
    fail(one)
    await until(partial(refused, two))
    await until(partial(probes, two))
    assert await refused(one)
    assert await refused(two)
    two.record("model:a", None)
    await until(partial(goes, one))
    states = [event.state for event in await one.events()]
    assert states == ["closed", "half-open", "open"]


async def test_after_a_recovery_calls_come_back_by_and_by(member: Member) -> None:
    one, two = await member("one", FAST), await member("two", FAST)
    fail(one)
    await until(partial(refused, two))
    await until(partial(probes, two))
    two.record("model:a", None)
    await until(partial(goes, one))
    permits = [await one.ask("model:a") for _ in range(1000)]
    refusals = [permit.after for permit in permits if not permit.allowed]
    assert refusals
    assert all(0 < after <= 1 for after in refusals)
    [report] = await one.reports()
    assert (report.state, 0 < report.full_in <= 8) == (BreakerState.CLOSED, True)


async def test_a_storm_of_refusals_opens_it_and_a_few_do_not(member: Member) -> None:
    one, two = await member("one", POLICY), await member("two", POLICY)
    for _ in range(10):
        one.record("model:a", Failure.REFUSAL)
        two.record("model:a", Failure.MALFORMED_JSON)
    await until(partial(counted, one, 20))
    assert await one.ask("model:a") == GO
    for _ in range(10):
        one.record("model:a", Failure.REFUSAL)
    await until(partial(refused, two))
    [report] = await two.reports()
    assert (report.failures, report.useless) == (0, 30)
    assert report.reason == "30 of 30 answers were of no use, the last: refusal"


async def test_a_probe_that_fails_opens_it_again(member: Member) -> None:
    breakers = await member("one", FAST)
    fail(breakers)
    await until(partial(refused, breakers))
    await until(partial(probes, breakers))
    breakers.record("model:a", Failure.TIMEOUT)

    async def opened() -> bool:
        [report] = await breakers.reports()
        return (report.state, report.reason) == (BreakerState.OPEN, "the probe failed: timeout")

    await until(opened)


async def test_an_operators_trip_outlasts_everything_but_a_reset(member: Member) -> None:
    one, operator = await member("one", FAST), await member("operator", FAST)
    await operator.trip("model:a", "maintenance")
    await until(partial(refused, one))
    for _ in range(10):
        one.record("model:a", None)
        assert await refused(one)
    [report] = await one.reports()
    assert report.state is BreakerState.OPEN
    assert "maintenance" in report.reason
    assert report.reopens_in == 0
    await operator.reset("model:a")
    await until(partial(goes, one))


async def test_a_breaker_can_be_tripped_before_anybody_used_it(member: Member) -> None:
    one = await member("one", POLICY)
    await one.trip("model:new", "not yet")
    assert not (await one.ask("model:new")).allowed
    assert [(event.name, event.state) for event in await one.events()] == [("model:new", "open")]


async def test_one_breaker_says_nothing_about_another(member: Member) -> None:
    breakers = await member("one", POLICY)
    fail(breakers)
    await until(partial(refused, breakers))
    assert await breakers.ask("model:b") == GO
