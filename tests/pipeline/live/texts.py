"""Documents as plain text, each with an id of its own."""

from typing import Any

from infra.bench.services import INVOICE

LETTER = """Dear Ms Tern,

thank you for your letter of 3 March about {name}. We look forward to your visit on Tuesday.

Yours sincerely,
Robin Marsh
"""


def fields_of(name: str) -> dict[str, str]:
    """What is to be extracted from the invoice of that name."""
    return {
        "invoice_number": name,
        "invoice_date": "2026-03-01",
        "due_date": "2026-03-31",
        "vendor": "Alder Works Ltd",
        "customer": "Birch Trading GmbH",
        "total": "120.00",
        "currency": "EUR",
    }


def invoice(name: str, **fields: Any) -> dict[str, Any]:
    """The submission of an invoice, whose number is the document's id: a model looks at it."""
    return {"document_id": name, "content": INVOICE.format(name=name).encode(), **fields}


def letter(name: str, **fields: Any) -> dict[str, Any]:
    """The submission of a letter: no model looks at it."""
    return {"document_id": name, "content": LETTER.format(name=name).encode(), **fields}
