"""A good document of each format gives its text."""

import pytest

from services.extract.extraction import Document, Extraction, Limits, Unreadable
from services.extract.reading import read
from tests.extract import files

WITHOUT_OCR = Limits(ocr=False)


def text_of(data: bytes, content_type: str = "") -> Extraction:
    found = read(Document(data, "sample", content_type), WITHOUT_OCR)
    assert isinstance(found, Extraction), found
    return found


def test_a_pdf_gives_its_pages_with_a_form_feed_between_them() -> None:
    found = text_of(files.pdf("First page\nTotal 12.50", "Second page"))
    assert found == Extraction("First page\nTotal 12.50\fSecond page", "application/pdf", 2, "text")


def test_a_blank_page_keeps_its_place_in_the_count() -> None:
    assert text_of(files.pdf("First page", "", "Third page")).text == "First page\f\fThird page"


def test_a_pdf_encrypted_with_an_empty_password_is_read() -> None:
    assert text_of(files.encrypted_pdf("")).text == "secret"


def test_values_typed_into_a_pdf_form_are_read() -> None:
    assert "applicant: Ada Lovelace" in text_of(files.form_pdf()).text


def test_a_mixed_pdf_without_ocr_says_which_pages_it_left_out() -> None:
    found = text_of(files.pdf("A page of text", files.picture("a scan", size=(595, 842))))
    assert found.text.startswith("A page of text")
    assert (found.pages, found.unread) == (2, (2,))
    assert "OCR is off" in found.warnings[0]


def test_junk_before_the_pdf_header_does_not_hide_the_format() -> None:
    assert text_of(b"\n\n" + files.pdf("Late header")).text == "Late header"


def test_a_docx_gives_paragraphs_tables_breaks_and_notes() -> None:
    cell = "<w:tc>" + files.paragraph("{}") + "</w:tc>"
    body = (
        files.paragraph("Heading")
        + f"<w:tbl><w:tr>{cell.format('Name')}{cell.format('Ada')}</w:tr></w:tbl>"
        + '<w:p><w:r><w:br w:type="page"/></w:r></w:p>'
        + "<w:p><w:r><w:lastRenderedPageBreak/><w:t>Page two</w:t></w:r></w:p>"
    )
    found = text_of(files.docx(body, footnotes=files.paragraph("A footnote"), header1=files.paragraph("A header")))
    assert found.text.replace("\n\n", "\n") == "Heading\nName \tAda\n\f\nPage two\nA footnote\nA header"
    assert found.pages == 2


def test_the_main_part_of_a_docx_may_have_another_name() -> None:
    assert text_of(files.docx(files.paragraph("Found"), main="word/document2.xml")).text == "Found"


def test_the_fallback_of_a_text_box_is_not_read_twice() -> None:
    mc = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    run = "<w:r><w:t>Boxed</w:t></w:r>"
    box = (
        f"<mc:AlternateContent {mc}><mc:Choice>{run}</mc:Choice><mc:Fallback>{run}</mc:Fallback></mc:AlternateContent>"
    )
    assert text_of(files.docx(f"<w:p>{box}</w:p>")).text == "Boxed"


def test_html_keeps_inline_text_together_and_drops_scripts() -> None:
    page = (
        "<!doctype html><html><head><title>Offer</title><style>p{}</style></head><body><h1>Offer</h1>\n<p>The\n"
        "<b>total</b>: 5&nbsp;EUR<br>net</p><script>alert(1)</script>"
        "<table><tr><td>a</td><td>b</td></tr></table></body></html>"
    )
    found = text_of(page.encode())
    assert found.text == "Offer\nOffer\nThe total: 5 EUR\nnet\na\tb"
    assert found.media_type == "text/html"


def test_html_in_a_declared_charset_is_decoded_with_it() -> None:
    page = '<html><head><meta charset="windows-1252"></head><body>Größe – 5 €</body></html>'
    assert text_of(page.encode("windows-1252")).text == "Größe – 5 €"


def test_mail_prefers_plain_text_and_names_its_attachments() -> None:
    message = files.mail()
    message.set_content("Der Betrag ist 12,50 €.\n")
    message.add_alternative("<p>Der <b>Betrag</b></p>", subtype="html")
    message.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="rechnung.pdf")
    found = text_of(message.as_bytes())
    assert found.media_type == "message/rfc822"
    assert "Subject: Rechnung für März\nFrom: Ada <ada@example.org>" in found.text
    assert found.text.endswith("Der Betrag ist 12,50 €.")
    assert "rechnung.pdf" in found.warnings[0]


def test_mail_with_html_only_is_read_as_text() -> None:
    message = files.mail()
    message.set_content("<p>Nur <b>HTML</b></p>", subtype="html")
    assert text_of(message.as_bytes()).text.endswith("Nur HTML")


def test_mail_with_an_unknown_charset_is_still_read() -> None:
    raw = b"From: a@b\nMessage-ID: <1@b>\nSubject: x\nContent-Type: text/plain; charset=x-nonsense\n\nGr\xfc\xdfe\n"
    assert "Gr" in text_of(raw).text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
def test_plain_text_is_decoded_from_any_usual_charset(encoding: str) -> None:
    found = text_of("Sehr geehrte Damen und Herren, die Größe der Fläche ist geändert.\r\nGrüße\r\n".encode(encoding))
    assert found.text == "Sehr geehrte Damen und Herren, die Größe der Fläche ist geändert.\nGrüße"
    assert found.media_type == "text/plain"


def test_csv_is_recognised_by_its_shape_and_loses_its_quotes() -> None:
    found = text_of(b'name,amount\n"Acme, Inc.",12\nBeta,13\n'.replace(b"Beta", b'"Be, ta"'), "text/csv")
    assert found.text == "name\tamount\nAcme, Inc.\t12\nBe, ta\t13"
    assert text_of(b"name;amount\nAcme;12\nBeta;13\n").media_type == "text/csv"


def test_a_name_and_a_type_that_contradict_the_bytes_are_ignored() -> None:
    found = read(Document(files.pdf("I am a PDF"), "letter.docx", "text/plain"), WITHOUT_OCR)
    assert isinstance(found, Extraction)
    assert found.media_type == "application/pdf"


def test_text_leaves_without_nul_carriage_return_or_lone_surrogate() -> None:
    found = text_of(("a\r\nb\rc\x01d\n\n\n\n\ne   \n" + "x" * 50).encode())
    assert found.text == "a\nb\ncd\n\ne\n" + "x" * 50


def test_a_memo_with_from_and_to_is_plain_text() -> None:
    assert text_of(b"From: the board\nTo: all staff\nSubject: lunch\n\nIt is late.\n").media_type == "text/plain"


def test_the_label_of_a_document_is_one_printable_line() -> None:
    found = read(Document(b"", "a\nb\x1b[31m" + "x" * 500), WITHOUT_OCR)
    assert isinstance(found, Unreadable)
    assert found.message.startswith("a?b?[31m")
    assert len(found.message) < 250
