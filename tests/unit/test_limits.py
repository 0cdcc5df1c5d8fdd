"""Limits over a sliding window, held against a list of what was used."""

from hypothesis import given
from hypothesis import strategies as st

from shared.core.limits import Window, WindowPolicy, added, grant, held, opening, passed, settled

POLICY = WindowPolicy(window=6_000, parts=20)
LIMIT = (10, 1_000)
START = 1_700_000_000_000


def noted(at: int, requests: int, tokens: int) -> tuple[int, int, int]:
    return POLICY.slot(at), requests, tokens


def used(at: int, requests: int, tokens: int) -> Window:
    return Window(slots=(noted(at, requests, tokens),))


def test_calls_are_granted_up_to_the_limit_of_requests() -> None:
    window, granted = grant(POLICY, LIMIT, Window(), START, [1] * 12)
    assert (granted.count, window.flying) == (10, (10, 10))
    assert granted.wait > 0


def test_calls_are_granted_up_to_the_limit_of_tokens_and_in_turn() -> None:
    _, granted = grant(POLICY, LIMIT, Window(), START, [600, 600, 100])
    assert granted.count == 1


def test_without_a_limit_only_the_providers_word_holds_a_call_back() -> None:
    _, granted = grant(POLICY, (0, 0), Window(), START, [10**9] * 50)
    assert granted.count == 50
    _, granted = grant(POLICY, (0, 0), held(Window(), START + 700), START, [1])
    assert (granted.count, granted.wait) == (0, 700)


def test_a_shorter_word_of_the_provider_does_not_lift_a_longer_one() -> None:
    assert held(held(Window(), START + 700), START + 100).hold == START + 700


def test_what_a_call_did_not_use_is_free_at_once() -> None:
    window, _ = grant(POLICY, LIMIT, Window(), START, [900])
    assert opening(POLICY, LIMIT, window, START, 300) > 0
    window = settled(window, (1, 900), [noted(START, 1, 200)])
    assert opening(POLICY, LIMIT, window, START, 300) == 0


def test_a_reservation_that_was_never_made_takes_nothing_below_zero() -> None:
    assert settled(Window(), (1, 500), []).flying == (0, 0)


def test_what_was_used_in_one_moment_comes_back_at_the_pace_of_the_limit() -> None:
    window = used(START, 10, 0)
    again = POLICY.expiry(POLICY.slot(START))
    counts = [grant(POLICY, LIMIT, window, again + later, [1] * 12)[1].count for later in (1, 600, 3_000, 6_000)]
    assert counts == [0, 1, 5, 10]


def test_what_comes_back_is_told_to_the_millisecond() -> None:
    window = used(START, 10, 0)
    wait = opening(POLICY, LIMIT, window, START, 1)
    assert opening(POLICY, LIMIT, passed(POLICY, LIMIT, window, START + wait - 1), START + wait - 1, 1) == 1
    assert opening(POLICY, LIMIT, passed(POLICY, LIMIT, window, START + wait), START + wait, 1) == 0


def test_where_only_calls_in_flight_use_the_limit_it_is_worth_asking_again_soon() -> None:
    window, granted = grant(POLICY, LIMIT, Window(), START, [1_000, 1_000])
    assert (window.flying, granted.wait) == ((1, 1_000), 1_000)


calls = st.lists(
    st.tuples(st.integers(0, 900), st.integers(1, 700), st.integers(0, 700), st.integers(0, 1_500)), max_size=80
)


@given(calls)
def test_no_sliding_window_ever_holds_more_than_the_limit(made: list[tuple[int, int, int, int]]) -> None:
    """Each call: how much later it asks, its estimate, what it uses of it, how long it takes."""
    window, now = Window(), START
    flying: list[tuple[int, int, int, int]] = []
    told: list[tuple[int, int, int]] = []
    for later, estimate, use, takes in made:
        now += later
        for one in [one for one in flying if one[0] <= now]:
            flying.remove(one)
            ended, sent, reserved, really = one
            window = settled(window, (1, reserved), [noted(sent, 1, 0), noted(ended, 0, really)])
        window, granted = grant(POLICY, LIMIT, window, now, [estimate])
        if granted.count:
            flying.append((now + takes, now, estimate, min(use, estimate)))
            told += [(now, 1, 0), (now + takes, 0, min(use, estimate))]
        else:
            assert granted.wait > 0
    for end, _, _ in told:
        inside = [one for one in told if end - POLICY.window < one[0] <= end]
        assert sum(one[1] for one in inside) <= LIMIT[0]
        assert sum(one[2] for one in inside) <= LIMIT[1]
    assert window.flying == (len(flying), sum(one[2] for one in flying))


@given(st.lists(st.tuples(st.integers(0, 4_000), st.integers(0, 10), st.integers(0, 900)), max_size=8), st.data())
def test_a_call_fits_when_it_was_told_to_and_not_before(past: list[tuple[int, int, int]], data: st.DataObject) -> None:
    window = Window(slots=added((), [noted(START - ago, requests, tokens) for ago, requests, tokens in past]))
    tokens = data.draw(st.integers(1, 1_000))
    wait = opening(POLICY, LIMIT, window, START, tokens)
    for at, fits in ((START + wait - 1, False), (START + wait, True)):
        if at >= START:
            _, granted = grant(POLICY, LIMIT, window, at, [tokens])
            assert (granted.count == 1) is fits
