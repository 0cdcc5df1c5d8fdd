"""Prices: the one of the day counts, each kind of token has its own, and a wrong list is told what is wrong with it."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.errors import Misconfigured
from shared.core.usage import Usage
from shared.models.prices import Price, price_on
from shared.models.registry import load_registry
from tests.models.test_registry import CHAINS, PROVIDER, WHOLE, written

BARE = '[models.m]\nprovider = "p"\ncontext_window = 1000\nmax_output = 100\npriced_on = 2026-01-01\n'
OLD = "{ since = 2025-01-01, input_usd_per_million = 2, output_usd_per_million = 8 }"
NEW = "{ since = 2026-03-01, input_usd_per_million = 1, output_usd_per_million = 4, cached_usd_per_million = 0.1 }"
TODAY = date(2026, 6, 1)
COUNTS = st.integers(-5, 5_000)


def listed(*prices: str) -> str:
    return f"{PROVIDER}{BARE}prices = [{', '.join(prices)}]\n{CHAINS}"


def test_a_call_costs_what_held_on_its_day(tmp_path: Path) -> None:
    (model,) = load_registry(written(tmp_path, listed(OLD, NEW)), {}, TODAY).chain("analyst")
    usage = Usage(1_000_000, 1_000_000)
    assert [model.cost(usage, date(2026, month, 28)) for month in (2, 3, 4)] == [10, 5, 5]
    assert model.cost(usage, date(2026, 3, 1)) == 5
    assert model.cost(usage, date(2020, 1, 1)) == 10


def test_cached_and_written_tokens_have_prices_of_their_own_and_thoughts_cost_what_answers_do() -> None:
    price = Price(input=Decimal(2), output=Decimal(8), cached=Decimal("0.5"), written=Decimal("2.5"))
    usage = Usage(input_tokens=100, output_tokens=50, cached_tokens=60, written_tokens=30, reasoning_tokens=40)
    assert usage.fresh_tokens == 10
    assert price.of(usage) * 1_000_000 == 10 * 2 + 60 * Decimal("0.5") + 30 * Decimal("2.5") + 50 * 8


def test_a_price_list_that_says_nothing_of_a_cache_takes_the_usual_price() -> None:
    assert Price(input=Decimal(2)).of(Usage(100, 0, 60, 30)) == Price(input=Decimal(2)).of(Usage(100))


@given(COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)
def test_whatever_a_provider_counts_no_part_is_larger_than_its_whole(a: int, b: int, c: int, d: int, e: int) -> None:
    asked, answered = max(a, 0), max(b, 0)
    usage = Usage(asked, answered, c, d, e)
    assert usage.fresh_tokens >= 0
    assert usage.fresh_tokens + usage.cached_tokens + usage.written_tokens == asked
    assert 0 <= usage.reasoning_tokens <= answered
    assert Price(input=Decimal(2), cached=Decimal(1)).of(usage) >= 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (listed(NEW, OLD), "the price since 2025-01-01 stands behind the one since 2026-03-01: the older first"),
        (listed(OLD, OLD), "two prices hold since 2025-01-01: take one out"),
        (listed(NEW.replace("2026-03", "2027-03")), "the first price begins on 2027-03-01, and none holds before"),
        (listed(OLD.replace("= 2,", "= -2,")), "models.m.prices.0.input_usd_per_million"),
        (listed(OLD.replace("= 2,", "= nan,")), "models.m.prices.0.input_usd_per_million"),
        (listed(OLD.replace("since", "from")), "models.m.prices.0.since"),
        (WHOLE.replace(CHAINS, f"prices = [{OLD}]\n{CHAINS}"), "the entry has a price beside its list"),
        (WHOLE.replace("output_usd_per_million = 0.3\n", ""), "models.m.output_usd_per_million: Field required"),
    ],
)
def test_a_wrong_list_is_told_what_is_wrong_with_it(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        load_registry(written(tmp_path, text), {}, TODAY)
    assert said in str(caught.value)


def test_a_change_that_is_announced_waits_for_its_day(tmp_path: Path) -> None:
    later = NEW.replace("2026-03", "2027-03")
    (model,) = load_registry(written(tmp_path, listed(OLD, later)), {}, TODAY).chain("analyst")
    assert price_on(model.prices, TODAY).input == 2
    assert price_on(model.prices, date(2027, 3, 1)).input == 1
