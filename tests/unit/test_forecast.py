"""What a replay is expected to cost: averages by type, stage and task, less what is answered already."""

import pytest

from shared.core.forecast import Due, Paid, Spent, forecast

PAID = Paid(
    spent=(
        Spent("analyze", "extraction", "invoice", 100, 100, 2.0),
        Spent("analyze", "qa", "invoice", 50, 100, 1.0),
        Spent("analyze", "extraction", "contract", 100, 110, 20.0),
        Spent("analyze", "extraction", "letter", 2, 2, 8.0),
    ),
    through={("analyze", "invoice"): 100, ("analyze", "contract"): 100, ("analyze", "letter"): 2},
    stored={"invoice": 200, "contract": 100, "letter": 2},
)
INVOICE = Due("d1", "invoice", ("analyze", "store"))


def expected(*due: Due, answered: dict[tuple[str, str, str], int] | None = None) -> float:
    return forecast(PAID, due, answered or {}).cost_usd


def test_a_document_costs_what_each_task_costs_its_type_by_how_many_need_it() -> None:
    assert expected(INVOICE) == pytest.approx(2.0 / 100 + 0.5 * 1.0 / 50)


def test_what_is_answered_already_is_not_paid_again() -> None:
    assert expected(INVOICE, answered={("d1", "analyze", "extraction"): 1}) == pytest.approx(0.01)
    half = {("d1", "analyze", "extraction"): 1, ("d1", "analyze", "qa"): 1}
    assert expected(INVOICE, answered=half) == pytest.approx(0.005)
    assert expected(INVOICE, answered={**half, ("d1", "analyze", "qa"): 9}) == 0


def test_a_type_of_which_too_few_are_known_is_like_all_others() -> None:
    everybody = expected(Due("d2", "", ("analyze",)))
    assert everybody == pytest.approx(31.0 / 202)
    assert expected(Due("d3", "letter", ("analyze",))) == pytest.approx(everybody)


def test_a_later_stage_counts_as_often_as_such_documents_reach_it() -> None:
    assert expected(Due("d1", "invoice", ("extract", "analyze"))) == pytest.approx(0.03 / 2)


def test_two_letters_of_one_document_are_one_document() -> None:
    assert expected(INVOICE, INVOICE) == pytest.approx(expected(INVOICE))


def test_where_nothing_is_known_it_says_so() -> None:
    told = forecast(Paid((), {}, {}), [INVOICE], {})
    assert (told.cost_usd, told.known, told.documents) == (0.0, 0, 1)
    assert "nothing to go by" in told.how
