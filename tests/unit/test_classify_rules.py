"""The rules find the type of a document in its text, say why, and are unsure where they should be."""

import time

import pytest

from infra.samples.blocks import Sample
from infra.samples.catalog import all_samples
from services.classify.rules import BEGINNING, Classification, classify
from services.extract.extraction import Document, Extraction, Limits
from services.extract.reading import read as extract
from shared.pipelines.document_types import DocumentType

GOOD = [sample for sample in all_samples() if not sample.failure]


def read(text: str) -> Classification:
    """The text alone decides: nothing is known of the file."""
    return classify(text, "", "")


@pytest.mark.parametrize("sample", GOOD, ids=lambda sample: sample.name)
def test_a_sample_is_clearly_of_its_type_whatever_its_file_is_called(sample: Sample) -> None:
    found = classify(sample.text, "scan0001", sample.media_type)
    assert found.document_type == sample.document_type, found.reason
    assert found.confidence >= 0.8, found.reason


@pytest.mark.parametrize("sample", [sample for sample in GOOD if not sample.ocr], ids=lambda sample: sample.name)
def test_a_sample_is_as_clear_in_what_extraction_makes_of_its_file(sample: Sample) -> None:
    extracted = extract(Document(sample.content, sample.name), Limits())
    assert isinstance(extracted, Extraction)
    found = classify(extracted.text, "scan0001", extracted.media_type)
    assert found.document_type == sample.document_type, found.reason
    assert found.confidence >= 0.8, found.reason


def test_a_letter_about_an_invoice_is_a_letter() -> None:
    found = read(
        "Dear Ms Abelson,\nyour invoice number 4711 is due on 3 May.\nTotal: 120.00 is too much.\nKind regards,\nOwen"
    )
    assert found.document_type is DocumentType.LETTER


def test_a_notice_about_contracts_is_a_notice() -> None:
    text = "PUBLIC NOTICE\nNotice is hereby given that the contract ends.\nThe governing law of it is unchanged."
    assert read(text).document_type is DocumentType.NOTICE


def test_a_german_invoice_is_an_invoice() -> None:
    text = "Rechnung\nRechnungsnummer: 2026-17\nZahlbar bis: 01.03.2026\nGesamtbetrag: 1.190,00 EUR"
    assert read(text) == classify(text, "", "text/plain")
    assert read(text).document_type is DocumentType.INVOICE
    assert read(text).confidence >= 0.8


def test_spaces_that_a_scan_lost_cost_no_certainty() -> None:
    text = "INVOICE\nInvoiceNo:4711\nDueDate:2026-04-08\nBillTo:Stonebridge\nTotal:EUR1,260.00"
    assert read(text).document_type is DocumentType.INVOICE
    assert read(text).confidence >= 0.8


@pytest.mark.parametrize("text", ["", " \n\t ", "lorem ipsum dolor sit amet", "x" * 100_000, "Total"])
def test_a_text_without_evidence_is_other_and_unsure(text: str) -> None:
    found = read(text)
    assert found.document_type is DocumentType.OTHER
    assert found.confidence < 0.5
    assert found.reason.endswith(".")


def test_two_types_with_equal_evidence_make_a_doubtful_answer_that_names_both() -> None:
    found = read("Dear Mr Osei,\n\nInvoice No: 4711\nDue date: 2026-04-08\nTotal: EUR 1,260.00\n\nKind regards,\nOwen")
    assert found.confidence < 0.6
    assert "invoice" in found.reason
    assert "letter" in found.reason


def test_a_title_alone_is_doubtful() -> None:
    found = read("INVOICE\n\nsomething nobody can read")
    assert found.document_type is DocumentType.INVOICE
    assert found.confidence <= 0.6


def test_the_reason_quotes_the_evidence_and_its_line() -> None:
    reason = read("Acme Ltd\nInvoice No: 4711\nDue date: 2026-04-08\nTotal: EUR 12.00").reason
    assert reason.startswith("Taken as invoice for an invoice number ('Invoice No' in line 2)")
    assert "line 3" in reason


def test_line_ends_of_any_kind_are_line_ends() -> None:
    text = "INVOICE\nInvoice No: 4711\nDue date: 2026-04-08\nTotal: EUR 12.00"
    assert (
        read(text.replace("\n", "\r\n"))
        == read(text)
        == read(text.replace("\n", "\r"))
        == read(text.replace("\n", "\f"))
    )


def test_the_closing_of_a_long_letter_is_read() -> None:
    middle = "We walked on and on.\n" * (BEGINNING // 10)
    found = read(f"Dear Ana,\n{middle}Yours sincerely,\nOwen")
    assert found.document_type is DocumentType.LETTER
    assert "near the end" in found.reason


def test_a_telling_file_name_adds_to_weak_evidence_but_makes_none() -> None:
    weak = "INVOICE\n\nsomething nobody can read"
    assert classify(weak, "invoice-17.pdf", "").confidence > read(weak).confidence
    assert classify("nothing here", "invoice-17.pdf", "").document_type is DocumentType.OTHER


def test_a_table_of_values_is_a_record_by_its_media_type() -> None:
    assert classify("a,b\n1,2\n", "data", "text/csv; charset=utf-8").document_type is DocumentType.RECORD


@pytest.mark.parametrize(
    "unit",
    [
        "\n",
        " ",
        "\t",
        ",",
        "a-",
        "1 ",
        "invoice ",
        "dear ",
        "agreement-",
        "governed by and construed ",
        "by\nand\n",
        "total:\n",
    ],
    ids=repr,
)
def test_no_text_keeps_the_rules_busy(unit: str) -> None:
    begun = time.process_time()
    read(unit * (5_000_000 // len(unit)))
    assert time.process_time() - begun < 2
