"""The arithmetic of a breaker, second by second."""

from __future__ import annotations

from dataclasses import replace

from shared.core import breaker as rules
from shared.core.breaker import Breaker, BreakerPolicy, Phase, Verdict
from shared.core.failures import Failure
from shared.core.tally import Tally

POLICY = BreakerPolicy(threshold=5, recovery=120.0, window=60.0, minimum_calls=20, share=0.5, lease=30.0)
START = 1_700_000_000_000
SECOND = 1000


def tally(*outcomes: Failure | None) -> Tally:
    counted = Tally()
    for outcome in outcomes:
        counted = counted.plus(outcome)
    return counted


def after(*outcomes: Failure | None, every: int = SECOND) -> tuple[Breaker, int]:
    breaker, now = rules.closed(START), START
    for outcome in outcomes:
        now += every
        breaker = rules.record(POLICY, breaker, now, "me", tally(outcome))
    return breaker, now


def opened() -> Breaker:
    return after(*[Failure.SERVER_ERROR] * 5)[0]


def test_four_failures_in_a_row_leave_it_closed_and_the_fifth_opens_it() -> None:
    assert after(*[Failure.TIMEOUT] * 4)[0].phase is Phase.CLOSED
    breaker, now = after(*[Failure.TIMEOUT] * 5)
    assert (breaker.phase, breaker.since, breaker.until) == (Phase.OPEN, now, now + 120 * SECOND)
    assert breaker.reason == "5 failures in a row, the last: timeout"


def test_a_success_ends_a_run() -> None:
    assert after(*[Failure.TIMEOUT] * 4, None, *[Failure.TIMEOUT] * 4)[0].phase is Phase.CLOSED


def test_a_run_that_has_left_the_window_is_forgotten() -> None:
    assert after(*[Failure.TIMEOUT] * 9, every=70 * SECOND)[0].phase is Phase.CLOSED


def test_an_outage_after_thousands_of_successes_still_opens_it_at_the_fifth_failure() -> None:
    breaker = rules.record(POLICY, rules.closed(START), START, "me", Tally(ok=10_000))
    breaker = rules.record(POLICY, breaker, START, "me", tally(*[Failure.CONNECTION] * 5))
    assert breaker.phase is Phase.OPEN


def test_what_fails_every_other_time_is_found_by_its_share() -> None:
    breaker, _ = after(*[None, Failure.SERVER_ERROR] * 10)
    assert breaker.reason == "10 of 20 calls failed, the last: server_error"


def test_a_few_failures_among_few_calls_say_nothing() -> None:
    assert after(*[None, Failure.SERVER_ERROR] * 9)[0].phase is Phase.CLOSED


def test_a_bad_document_is_no_evidence_against_the_model() -> None:
    bad = [Failure.TOKEN_LIMIT, Failure.CONTENT_POLICY, Failure.MALFORMED_JSON, Failure.REFUSAL]
    assert after(*bad * 10)[0].phase is Phase.CLOSED


def test_a_batch_of_which_a_part_is_refused_leaves_it_closed() -> None:
    refused = [Failure.REFUSAL] * 4 + [None]
    assert after(*refused * 50, every=100)[0].phase is Phase.CLOSED
    assert after(*[Failure.REFUSAL] * 29, every=100)[0].phase is Phase.CLOSED


def test_a_storm_of_refusals_opens_it() -> None:
    breaker, _ = after(*[None] * 3, *[Failure.REFUSAL] * 27, every=100)
    assert breaker.reason == "27 of 30 answers were of no use, the last: refusal"
    assert (breaker.phase, breaker.useless) == (Phase.OPEN, True)


def test_refusals_that_have_left_the_window_do_not_count() -> None:
    assert after(*[Failure.REFUSAL] * 40, every=3 * SECOND)[0].phase is Phase.CLOSED


def test_what_a_storm_opened_is_not_closed_by_another_refusal() -> None:
    stormy, now = after(*[Failure.REFUSAL] * 30, every=100)
    leased, verdict = rules.ask(POLICY, stormy, stormy.until, "me")
    assert verdict is Verdict.PROBE
    now = leased.since + SECOND
    assert rules.record(POLICY, leased, now, "you", tally(Failure.REFUSAL)) == leased
    again = rules.record(POLICY, leased, now, "me", tally(Failure.REFUSAL))
    assert (again.phase, again.reason) == (Phase.OPEN, "the probe's answer was of no use: refusal")
    leased, _ = rules.ask(POLICY, again, again.until, "me")
    closed = rules.record(POLICY, leased, leased.since, "me", tally(Failure.REFUSAL, None))
    assert (closed.phase, closed.useless) == (Phase.CLOSED, False)


def test_what_an_outage_opened_is_closed_by_a_refusal_for_the_provider_is_back() -> None:
    leased, _ = rules.ask(POLICY, opened(), opened().until, "me")
    assert rules.record(POLICY, leased, leased.since, "me", tally(Failure.REFUSAL)).phase is Phase.CLOSED


def test_while_open_calls_wait_and_outcomes_do_not_count() -> None:
    breaker = opened()
    assert rules.ask(POLICY, breaker, breaker.until - 1, "me") == (breaker, Verdict.WAIT)
    assert rules.record(POLICY, breaker, breaker.until - 1, "me", tally(None)) == breaker


def test_one_probe_is_leased_and_everybody_else_waits() -> None:
    breaker = opened()
    now = breaker.until
    leased, verdict = rules.ask(POLICY, breaker, now, "me")
    assert (verdict, leased.phase, leased.holder) == (Verdict.PROBE, Phase.HALF_OPEN, "me")
    for who in ("me", "you"):
        assert rules.ask(POLICY, leased, now + 29 * SECOND, who)[1] is Verdict.WAIT
    taken, verdict = rules.ask(POLICY, leased, now + 30 * SECOND, "you")
    assert (verdict, taken.holder, taken.since) == (Verdict.PROBE, "you", leased.since)


def test_only_the_probes_failure_opens_it_again_but_anybodys_success_closes_it() -> None:
    leased, _ = rules.ask(POLICY, opened(), opened().until, "me")
    now = leased.since + SECOND
    assert rules.record(POLICY, leased, now, "you", tally(Failure.TIMEOUT)) == leased
    again = rules.record(POLICY, leased, now, "me", tally(Failure.TIMEOUT))
    assert (again.phase, again.until, again.reason) == (Phase.OPEN, now + 120 * SECOND, "the probe failed: timeout")
    for who in ("me", "you"):
        closed = rules.record(POLICY, leased, now, who, tally(None))
        assert (closed.phase, closed.run, closed.slots) == (Phase.CLOSED, 0, ())


def test_a_probe_slower_than_its_lease_still_closes_it() -> None:
    leased, _ = rules.ask(POLICY, opened(), opened().until, "me")
    taken, _ = rules.ask(POLICY, leased, leased.until, "you")
    assert rules.record(POLICY, taken, leased.until + 1, "me", tally(None)).phase is Phase.CLOSED


def test_a_trip_outlasts_recovery_and_successes_until_it_is_reset() -> None:
    tripped = rules.trip(rules.closed(START), START, "operator", "maintenance")
    later = START + 10_000 * SECOND
    assert rules.ask(POLICY, tripped, later, "me") == (tripped, Verdict.WAIT)
    assert rules.record(POLICY, tripped, later, "me", tally(None)) == tripped
    assert rules.reset(tripped, later, "operator").phase is Phase.CLOSED
    assert rules.wait(tripped, START) == rules.ASK_AGAIN


def test_versions_grow_even_when_the_clock_is_set_back() -> None:
    breaker = opened()
    for change in (rules.trip(breaker, 5, "o", "r"), rules.reset(breaker, 5, "o")):
        assert change.version == breaker.version + 1


def test_counts_written_before_the_clock_was_set_back_do_not_count() -> None:
    breaker, now = after(None, None)
    assert rules.window(POLICY, breaker, now) == (2, 0)
    assert rules.window(POLICY, breaker, now - 3600 * SECOND) == (0, 0)


def test_the_newest_copy_wins_and_an_emptied_registry_is_filled() -> None:
    old, new = opened(), rules.reset(opened(), START + 60 * SECOND, "operator")
    now = START + 90 * SECOND
    assert rules.newer(POLICY, None, old, now, own=False) == old
    assert rules.newer(POLICY, old, new, now, own=False) == new
    assert rules.newer(POLICY, new, old, now, own=True) == new
    assert rules.newer(POLICY, new, None, now, own=False) == new


def test_what_a_process_decided_alone_never_overrules_a_trip() -> None:
    tripped = rules.trip(rules.closed(START), START, "operator", "maintenance")
    alone = rules.closed(START + 60 * SECOND)
    assert rules.newer(POLICY, tripped, alone, START + 90 * SECOND, own=True) == tripped


def test_a_copy_from_a_clock_that_runs_ahead_cannot_keep_it_open_for_longer() -> None:
    ahead = replace(opened(), version=START * 2, until=START * 2, since=START * 2)
    taken = rules.newer(POLICY, None, ahead, START, own=True)
    assert taken is not None
    assert (taken.version, taken.since, taken.until) == (START, START, START + 120 * SECOND)
