"""The simulated provider quotes: right on all samples, sensible on layouts it was not made for, never stuck."""

import time

import pytest

from infra.modelsim.rules import answer, extract_fields, summarize
from infra.samples.blocks import Sample
from infra.samples.catalog import all_samples
from services.extract.extraction import Document, Extraction, Limits
from services.extract.reading import read

GOOD = [sample for sample in all_samples() if not sample.failure]
WITH_FIELDS = [sample for sample in GOOD if sample.fields]
READABLE = [sample for sample in WITH_FIELDS if not sample.ocr]

LETTERHEAD = """Acme Corp.
123 Main St
INVOICE

Invoice #: 10045          Date: 02/11/2026
Due Date: 03/13/2026

BILL TO
Jane Smith
7 Hill Road

Widget  3  150.00  450.00
Subtotal $450.00
Tax (8%) $36.00
TOTAL $486.00
"""
LOST_SPACES = """INVOICE
InvoiceNo:4711
InvoiceDate:9March2026
DueDate:8April2026
Customer:Stonebridge
Subtotal:1,050.00
Total:EUR1,260.00
"""
RECHNUNG = """Muster AG
Rechnung Nr. 2026/55
Datum: 3. März 2026
Kunde: Beispiel GmbH
Fällig am 2. April 2026
Summe: 99,00 €
"""
RESUME = """JOHN DOE
Software Engineer
San Francisco, CA • (415) 555-0100 • john@doe.example

EXPERIENCE
Acme, 2019 - 2024

SKILLS
Java, Spring, AWS
"""
BROKEN_LINES = """CONSULTING AGREEMENT
This Agreement is made on 5 May 2026 between Alpha Ltd, a company
registered in England with its only office in York, and Beta
Holdings plc, a company registered in Wales.
The agreement shall continue for a term of twelve
months. This agreement is governed by the laws of England and Wales.
"""
REPORT = """Q3 Sales Analysis
By Anna Smith
October 3, 2026

Summary
Sales went up 3.5 percent. Costs fell.
"""


def values(document_type: str, text: str) -> list[str]:
    return list(extract_fields(document_type, text).values())


@pytest.mark.parametrize("sample", WITH_FIELDS, ids=lambda sample: sample.name)
def test_every_field_of_a_sample_is_found_in_its_text(sample: Sample) -> None:
    assert extract_fields(sample.document_type, sample.text) == sample.fields


@pytest.mark.parametrize("sample", READABLE, ids=lambda sample: sample.name)
def test_every_field_of_a_sample_is_found_in_what_extraction_makes_of_the_file(sample: Sample) -> None:
    found = read(Document(sample.content, sample.name, sample.media_type), Limits())
    assert isinstance(found, Extraction)
    assert extract_fields(sample.document_type, found.text) == sample.fields


@pytest.mark.parametrize(
    ("document_type", "text", "expected"),
    [
        ("invoice", LETTERHEAD, ["10045", "02/11/2026", "03/13/2026", "Acme Corp.", "Jane Smith", "486.00", "$"]),
        ("invoice", LOST_SPACES, ["4711", "9March2026", "8April2026", "", "Stonebridge", "1,260.00", "EUR"]),
        ("invoice", RECHNUNG, ["2026/55", "3. März 2026", "2. April 2026", "Muster AG", "Beispiel GmbH", "99,00", "€"]),
        (
            "resume",
            RESUME,
            ["JOHN DOE", "john@doe.example", "(415) 555-0100", "Software Engineer", "Java, Spring, AWS"],
        ),
        (
            "contract",
            BROKEN_LINES,
            ["Alpha Ltd", "Beta Holdings plc", "5 May 2026", "twelve months", "England and Wales"],
        ),
        ("report", REPORT, ["Q3 Sales Analysis", "Anna Smith", "October 3, 2026", "Sales went up 3.5 percent."]),
    ],
    ids=["letterhead", "lost spaces", "German", "resume", "broken lines", "report"],
)
def test_documents_that_are_no_samples_are_understood(document_type: str, text: str, expected: list[str]) -> None:
    assert values(document_type, text) == expected


def test_the_headers_of_a_mail_are_no_fields() -> None:
    mail = "Subject: hello\nFrom: Billing <b@acme.example>\nTo: you@there.example\nDate: 1 May 2026\n\n" + LETTERHEAD
    assert extract_fields("invoice", mail) == extract_fields("invoice", LETTERHEAD)


def test_a_field_that_is_not_there_is_empty_and_a_type_without_fields_has_none() -> None:
    assert set(values("invoice", "")) == {""}
    assert extract_fields("letter", LETTERHEAD) == {}


@pytest.mark.parametrize("sample", GOOD, ids=lambda sample: sample.name)
def test_a_summary_is_made_of_words_in_the_order_of_the_text(sample: Sample) -> None:
    summary = summarize(sample.text)
    assert 0 < len(summary) < len(sample.text)
    remaining = iter(sample.text.split())
    assert all(any(word == said for word in remaining) for said in summary.split())


def test_a_summary_takes_whole_sentences_over_broken_lines() -> None:
    assert summarize(BROKEN_LINES).startswith(
        "This Agreement is made on 5 May 2026 between Alpha Ltd, a company registered"
    )


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("What is the total?", LETTERHEAD, "TOTAL $486.00"),
        ("When is the payment due?", LETTERHEAD, "Due Date: 03/13/2026"),
        ("What are the skills?", RESUME, "Java, Spring, AWS"),
        (
            "Which law governs the agreement?",
            BROKEN_LINES,
            "This agreement is governed by the laws of England and Wales.",
        ),
        ("How long does it last?", BROKEN_LINES, "The agreement shall continue for a term of twelve months."),
        ("Wann ist sie fällig?", RECHNUNG, "Fällig am 2. April 2026"),
    ],
)
def test_a_question_is_answered_with_the_sentence_that_knows(question: str, text: str, expected: str) -> None:
    assert answer(question, text) == expected


@pytest.mark.parametrize(("question", "text"), [("Quelle heure est-il?", REPORT), ("", REPORT), ("What?", "")])
def test_a_question_about_something_else_has_no_answer(question: str, text: str) -> None:
    assert answer(question, text) == ""


def test_an_empty_text_has_no_summary() -> None:
    assert summarize(" \n ") == ""


@pytest.mark.parametrize(
    "unit",
    [
        "total ",
        " ",
        "\n",
        "summary:\n",
        "between A, and ",
        "1,111",
        "EUR 1,111 ",
        ". A",
        "laws of A ",
        "\tname",
        "a",
        "To: a\n",
    ],
    ids=repr,
)
def test_no_text_keeps_the_provider_busy(unit: str) -> None:
    text = f"total{unit * (1_000_000 // len(unit))}"
    begun = time.process_time()
    for document_type in ("invoice", "resume", "contract", "report"):
        extract_fields(document_type, text)
    summarize(text)
    answer("When is the total due?", text)
    assert time.process_time() - begun < 5
