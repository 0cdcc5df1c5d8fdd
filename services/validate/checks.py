"""The standard checks: pure functions of what was extracted, and the table that says which apply to a document type.

A check gives None where it does not apply, for a value that is absent is not a wrong one; whether a field must be there
is a check of its own.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from schemas.events import Analysis, Span
from services.validate.readings import amount, dates, is_email
from shared.core.grounding import Ground
from shared.pipelines.document_types import DocumentType
from shared.pipelines.tasks import Wanted

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    problem: str = ""
    """What is wrong, in one sentence; empty where the check holds."""
    ungrounded: bool = False
    """The problem is a value that stands nowhere in the text."""


HOLDS = Finding()
Check = Callable[[Fields], Finding | None]


def found(holds: bool, problem: str) -> Finding:
    """The finding of a check that applies."""
    return HOLDS if holds else Finding(problem)


def present(name: str) -> Check:
    """The field is there."""
    return lambda fields: found(bool(fields.get(name)), f"{name} is missing")


def of_kind(name: str, holds: Callable[[str], bool], kind: str) -> Check:
    """The field, where it is there, is of that kind."""

    def check(fields: Fields) -> Finding | None:
        value = fields.get(name)
        return found(holds(value), f"{name} {_quoted(value)} is no {kind}") if value else None

    return check


def a_date(name: str) -> Check:
    """The field can be read as a date."""
    return of_kind(name, lambda value: bool(dates(value)), "date")


def in_order(earlier: str, later: str) -> Check:
    """One date is not before the other, in some reading of both."""

    def check(fields: Fields) -> Finding | None:
        first, second = dates(fields.get(earlier, "")), dates(fields.get(later, ""))
        if not first or not second:
            return None
        problem = f"{later} {_quoted(fields[later])} is before {earlier} {_quoted(fields[earlier])}"
        return found(min(first) <= max(second), problem)

    return check


def different(one: str, other: str) -> Check:
    """Two fields do not say the same."""

    def check(fields: Fields) -> Finding | None:
        first, second = fields.get(one), fields.get(other)
        if not first or not second:
            return None
        return found(first.casefold() != second.casefold(), f"{one} and {other} are both {_quoted(first)}")

    return check


def is_total(value: str) -> bool:
    """An amount above nothing."""
    read = amount(value)
    return read is not None and read > 0


def is_currency(value: str) -> bool:
    """A sign, or a short word such as EUR or Euro."""
    return len(value) <= 12 and not any(character.isdigit() for character in value)


def is_phone(value: str) -> bool:
    """Digits enough to be dialled, and no more than the world's plan allows."""
    return 5 <= sum(character.isdigit() for character in value) <= 18


CHECKS: Mapping[str, tuple[Check, ...]] = {
    DocumentType.INVOICE: (
        present("invoice_number"),
        present("vendor"),
        present("total"),
        of_kind("invoice_number", lambda value: any(map(str.isdigit, value)) and len(value) <= 40, "invoice number"),
        a_date("invoice_date"),
        a_date("due_date"),
        in_order("invoice_date", "due_date"),
        of_kind("total", is_total, "amount above zero"),
        of_kind("currency", is_currency, "currency"),
    ),
    DocumentType.RESUME: (
        present("name"),
        of_kind("name", lambda value: 2 <= len(value) <= 100 and "@" not in value, "name"),
        of_kind("email", is_email, "e-mail address"),
        of_kind("phone", is_phone, "telephone number"),
    ),
    DocumentType.CONTRACT: (
        present("party_a"),
        present("party_b"),
        different("party_a", "party_b"),
        a_date("effective_date"),
    ),
    DocumentType.REPORT: (present("title"), a_date("date")),
}
"""Document type to its checks."""

LISTS = frozenset({"skills"})
"""Fields that list several things: each must stand in the text, and they need not stand together."""


def spans_of(fields: Fields, ground: Ground) -> dict[str, Span]:
    """Where each value stands, for those that stand somewhere."""
    places = {n: ground.find_all(value) if n in LISTS else ground.find(value) for n, value in fields.items()}
    return {name: Span(start=place.start, end=place.end) for name, place in places.items() if place}


def findings(document_type: str, tasks: Wanted, analysis: Analysis, spans: Mapping[str, Span]) -> Iterator[Finding]:
    """Every check that applies, in order: those of the type, every value's place, and that each task was done."""
    if tasks.extraction:
        for check in CHECKS.get(document_type, ()):
            if (finding := check(analysis.fields)) is not None:
                yield finding
        for name, value in analysis.fields.items():
            problem = f"{name} {_quoted(value)} does not occur in the text"
            yield HOLDS if name in spans else Finding(problem, ungrounded=True)
    if tasks.summary:
        yield found(bool(analysis.summary), "the summary is missing")
    for question in tasks.questions:
        yield found(bool(analysis.answers.get(question)), f"the question {_quoted(question)} has no answer")


def _quoted(value: str) -> str:
    return repr(value if len(value) <= 60 else value[:57] + "...")
