"""The cheapest model that fits is asked first."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from shared.core.choosing import Offer, Wish, cheapest_first

LARGE = Offer("large", cost=0.02, tokens=5_000, context_window=100_000, quality=0.9, seconds=8.0)
SMALL = Offer("small", cost=0.001, tokens=5_000, context_window=8_000, quality=0.6, seconds=1.0)


def test_the_cheapest_comes_first() -> None:
    assert cheapest_first([LARGE, SMALL], Wish()) == ["small", "large"]


def test_a_question_that_exceeds_the_context_goes_to_a_larger_one() -> None:
    assert cheapest_first([LARGE, replace(SMALL, tokens=9_000)], Wish()) == ["large", "small"]


def test_a_quality_that_is_wanted_is_worth_its_price() -> None:
    assert cheapest_first([SMALL, LARGE], Wish(quality=0.8)) == ["large", "small"]


def test_who_is_too_slow_is_asked_last() -> None:
    assert cheapest_first([replace(LARGE, cost=0.0), SMALL], Wish(seconds=5)) == ["small", "large"]


def test_a_model_of_which_nothing_is_known_is_given_the_time() -> None:
    assert cheapest_first([LARGE, replace(SMALL, seconds=0.0)], Wish(seconds=0.5)) == ["small", "large"]


def test_where_none_fits_the_order_stands() -> None:
    assert cheapest_first([LARGE, SMALL], Wish(quality=1.0)) == ["large", "small"]


@given(
    st.lists(
        st.builds(Offer, st.uuids().map(str), *[st.floats(0, 9)], *[st.integers(0, 9)] * 2, *[st.floats(0, 1)] * 2),
        unique_by=lambda offer: offer.name,
    ),
    st.builds(Wish, st.floats(0, 1), st.floats(0, 1)),
)
def test_nobody_is_left_out_and_what_fits_goes_by_price(offers: list[Offer], wish: Wish) -> None:
    named = {offer.name: offer for offer in offers}
    ordered = [named[name] for name in cheapest_first(offers, wish)]
    assert sorted(offer.name for offer in ordered) == sorted(named)
    fitting = [offer for offer in ordered if offer.fits(wish)]
    assert ordered[: len(fitting)] == fitting
    assert [offer.cost for offer in fitting] == sorted(offer.cost for offer in fitting)
