"""The simulated provider's limits: any sliding window, answers counted when they are complete."""

from hypothesis import given
from hypothesis import strategies as st

from infra.modelsim.limits import Account, Limit

LIMIT = Limit(model="m", requests=3, tokens=100, seconds=10)


def test_requests_are_refused_beyond_the_limit_and_told_when_to_come_again() -> None:
    account = Account(LIMIT)
    assert [account.admit(1, now) for now in (0.0, 1.0, 2.0)] == [None, None, None]
    assert account.admit(1, 4.0) == 6.0
    assert account.admit(1, 10.0) is None
    assert account.refused == 1


def test_an_answer_counts_when_it_is_complete() -> None:
    account = Account(LIMIT)
    assert account.admit(10, 0.0) is None
    account.answer(85, 8.0)
    assert account.admit(10, 8.5) == 1.5
    assert account.admit(15, 10.0) is None
    assert account.admit(15, 17.9) is not None
    assert account.admit(15, 18.0) is None


def test_a_refused_request_counts_for_nothing() -> None:
    account = Account(LIMIT)
    for _ in range(50):
        account.admit(200, 0.0)
    assert account.admit(100, 0.0) is None


def test_every_response_says_what_is_left() -> None:
    account = Account(LIMIT)
    account.admit(30, 0.0)
    said = account.headers(4.0)
    assert said["x-ratelimit-remaining-requests"] == "2"
    assert said["x-ratelimit-remaining-tokens"] == "70"
    assert said["x-ratelimit-reset-tokens"] == "6.000s"


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(0, 60)), max_size=60))
def test_no_window_holds_more_than_the_limit(asked: list[tuple[float, int]]) -> None:
    account, now, taken = Account(LIMIT), 0.0, []
    for later, tokens in asked:
        now += later
        if account.admit(tokens, now) is None:
            taken.append((now, tokens))
    for end, _ in taken:
        inside = [tokens for at, tokens in taken if end - LIMIT.seconds < at <= end]
        assert len(inside) <= LIMIT.requests
        assert sum(inside) <= LIMIT.tokens
