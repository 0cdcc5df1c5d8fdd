"""The readings of values and the standard checks on them."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.validate.checks import CHECKS
from services.validate.readings import amount, dates, is_email
from shared.pipelines.document_types import DocumentType

FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d %B %Y", "%B %d, %Y", "%d %b %Y", "%b %d %Y", "%d%B%Y")


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.sampled_from(FORMATS))
def test_a_date_is_read_however_it_is_written(day: date, form: str) -> None:
    assert day in dates(day.strftime(form))


@pytest.mark.parametrize("value", ["12. März 2026", "12 mars 2026", "March 12th, 2026", "12.03.26", "2026/3/12"])
def test_dates_of_other_languages_and_habits_are_read(value: str) -> None:
    assert date(2026, 3, 12) in dates(value)


@pytest.mark.parametrize("value", ["", "soon", "2026-13-40", "31 June 2026", "12 Foo 2026", "net 30 days", "1" * 200])
def test_what_is_no_date_has_no_reading(value: str) -> None:
    assert dates(value) == frozenset()


@given(
    st.decimals(0, 10**9, places=2, allow_nan=False),
    st.sampled_from([(",", "."), (".", ","), (" ", ","), ("'", "."), ("\u00a0", ",")]),
    st.sampled_from(["{}", "EUR {}", "$ {}", "{} €", "EUR{}"]),
)
def test_an_amount_is_read_however_it_is_separated(value: Decimal, signs: tuple[str, str], form: str) -> None:
    thousands, point = signs
    text = f"{value:,.2f}".replace(",", "T").replace(".", point).replace("T", thousands)
    assert amount(form.format(text)) == value


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("1,234", 1234),
        ("1.234", 1234),
        ("1,5", Decimal("1.5")),
        ("1.234.567", 1234567),
        ("-5.00", -5),
        ("(5.00)", -5),
        ("240.", 240),
        ("none", None),
        ("", None),
        ("€", None),
        ("x" * 100 + "1", None),
    ],
)
def test_amounts_at_the_edges(value: str, read: Decimal | None) -> None:
    assert amount(value) == read


@given(st.text(max_size=100))
def test_no_value_breaks_a_reading(value: str) -> None:
    number = amount(value)
    assert number is None or number.is_finite()
    assert is_email(value) in (True, False)
    assert all(found is not None for found in dates(value))


@given(st.sampled_from(sorted(CHECKS)), st.data())
def test_no_fields_break_a_check(kind: str, data: st.DataObject) -> None:
    names = ["invoice_number", "total", "due_date", "invoice_date", "currency", "email", "phone", "name", "party_a"]
    fields = data.draw(st.dictionaries(st.sampled_from(names), st.text(min_size=1, max_size=20)))
    assert all(finding is None or isinstance(finding.problem, str) for finding in (c(fields) for c in CHECKS[kind]))


@pytest.mark.parametrize(
    ("kind", "fields", "problem"),
    [
        ("invoice", {"invoice_number": "none"}, "invoice_number 'none' is no invoice number"),
        ("invoice", {"total": "0.00"}, "total '0.00' is no amount above zero"),
        ("invoice", {"total": "-3.00"}, "total '-3.00' is no amount above zero"),
        ("invoice", {"currency": "240"}, "currency '240' is no currency"),
        ("invoice", {"due_date": "soon"}, "due_date 'soon' is no date"),
        (
            "invoice",
            {"invoice_date": "2026-03-02", "due_date": "1 March 2026"},
            "due_date '1 March 2026' is before invoice_date '2026-03-02'",
        ),
        ("resume", {"email": "ada(at)example"}, "email 'ada(at)example' is no e-mail address"),
        ("resume", {"phone": "call"}, "phone 'call' is no telephone number"),
        ("resume", {}, "name is missing"),
        ("contract", {"party_a": "ACME", "party_b": "Acme"}, "party_a and party_b are both 'ACME'"),
        ("report", {"date": "x"}, "date 'x' is no date"),
    ],
)
def test_each_check_says_what_is_wrong(kind: str, fields: dict[str, str], problem: str) -> None:
    found = [finding.problem for check in CHECKS[DocumentType(kind)] if (finding := check(fields)) is not None]
    assert problem in found


def test_a_due_date_that_can_be_read_as_later_is_not_an_error() -> None:
    fields = {"invoice_date": "05/03/2026", "due_date": "04/03/2026"}
    assert not any("before" in finding.problem for check in CHECKS["invoice"] if (finding := check(fields)) is not None)
