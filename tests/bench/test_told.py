"""The difference between what four tell of cost: only what nobody saw may differ, and nothing else."""

from dataclasses import replace
from decimal import Decimal

import pytest

from infra.bench.insights.told import Told, money, summed, total

LINE = {"sure_usd": 0.3, "cost_usd": 0.35, "unsure_usd": 0.05, "unsure_calls": 1}
TOLD = Told(
    bill=Decimal("0.37"),
    charged={"penstock-1": Decimal("0.3"), "penstock-2": Decimal("0.07")},
    costs=LINE,
    others={},
    status=LINE,
    metrics=Decimal("0.3"),
    unsure=frozenset({"penstock-2", "penstock-3"}),
)


def test_what_the_bill_has_of_unsure_calls_is_no_difference() -> None:
    assert TOLD.difference() == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"bill": Decimal("0.370001")},
        {"unsure": frozenset()},
        {"costs": LINE | {"sure_usd": 0.300001}},
        {"status": LINE | {"sure_usd": 0.299999}},
        {"metrics": Decimal("0.300001")},
    ],
)
def test_a_millionth_of_a_dollar_is_a_difference(wrong: dict[str, object]) -> None:
    assert replace(TOLD, **wrong).difference() > 0  # type: ignore[arg-type]


def test_the_noise_of_floats_is_none() -> None:
    assert money(sum([0.1] * 3)) == Decimal("0.3")
    text = 'penstock_ledger_cost_usd{model="sim-a1",stage="review"} 0.1\npenstock_ledger_cost_usd{model="sim-b"} 7.0\n'
    assert summed(text * 2, "penstock_ledger_cost_usd", "a1") == Decimal("0.2")


def test_what_others_left_on_the_way_is_on_the_bill_and_on_their_account() -> None:
    costs = total([LINE, {"tenant": "b", "sure_usd": 0.1, "cost_usd": 0.1}])
    sums = {
        "bill": Decimal("0.47"),
        "metrics": Decimal("0.4"),
        "charged": TOLD.charged | {"penstock-4": Decimal("0.1")},
    }
    assert replace(TOLD, costs=costs, others={"sure_usd": 0.1}, **sums).difference() == 0
    assert replace(TOLD, costs=costs, others={}, **sums).difference() == Decimal("0.1")
