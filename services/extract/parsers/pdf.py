"""Reads PDF with pdfium: the text layer per page, OCR for pages that are pictures, form values from pypdf.

One document per process at a time: pdfium is not thread-safe, and it ends the process when an allocation fails.
"""

import re
from dataclasses import dataclass, field

import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image

from services.extract.extraction import Document, Extraction, Limits, Method, Unreadable
from services.extract.parsers import ocr, pdf_repair
from services.extract.parsers.image import is_blank
from services.extract.sniff import PDF
from shared.core.failures import Failure

_PASSWORD, _SECURITY = 4, 5
_TEXT_AT_LEAST = 5
_CAPTION_AT_MOST = 60
_GARBAGE_SHARE = 0.05
_GARBAGE = re.compile("\\(cid:\\d+\\)|[\ufffd\ue000-\uf8ff\x00-\x08\x0e-\x1f]")
_OCR_DPI = 150
_PROBE_SIDE = 800


@dataclass(slots=True)
class _Pages:
    """What the pages of one document gave so far."""

    texts: list[str] = field(default_factory=list)
    layered: int = 0
    recognised: int = 0
    unread: list[int] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def method(self) -> Method:
        if not self.recognised:
            return "text"
        return "mixed" if self.layered else "ocr"


def parse(document: Document, limits: Limits) -> Extraction | Unreadable:
    """Read every page; a page without a usable text layer goes to OCR, so mixed documents work."""
    try:
        pdf = pypdfium2.PdfDocument(document.data)
    except pypdfium2.PdfiumError as error:
        if error.err_code in (_PASSWORD, _SECURITY):
            return Unreadable(Failure.ENCRYPTED, f"{document.label} needs a password; send it without one.")
        return pdf_repair.second_try(document, limits)
    try:
        return _read(pdf, document, limits)
    finally:
        pdf.close()


def _read(pdf: pypdfium2.PdfDocument, document: Document, limits: Limits) -> Extraction | Unreadable:
    if len(pdf) > limits.pages:
        return Unreadable(
            Failure.TOO_LARGE,
            f"{document.label} has {len(pdf):,} pages, more than the limit of {limits.pages:,}; split it.",
        )
    pages = _Pages()
    characters = 0
    for number in range(1, len(pdf) + 1):
        text = _page_text(pdf, number, pages, limits)
        characters += len(text)
        if characters > limits.characters or pages.recognised + len(pages.unread) > limits.ocr_pages:
            return _too_large(document, limits, number)
        pages.texts.append(text)
    if pages.unread and not pages.layered:
        return Unreadable(
            Failure.SCANNED,
            f"{document.label} is a scan: {len(pages.unread)} of {len(pdf)} pages are pictures; switch OCR on.",
        )
    if pdf.get_formtype() != pdfium.FORMTYPE_NONE:
        pages.texts = pdf_repair.with_form_values(document, pages.texts)
    if pages.unread:
        pages.warnings.append(f"{len(pages.unread)} of {len(pdf)} pages are pictures and were not read: OCR is off.")
    return Extraction("\f".join(pages.texts), PDF, len(pdf), pages.method, tuple(pages.warnings), tuple(pages.unread))


def _too_large(document: Document, limits: Limits, number: int) -> Unreadable:
    return Unreadable(
        Failure.TOO_LARGE,
        f"{document.label} passes {limits.characters:,} characters or {limits.ocr_pages:,} pages to recognise at page "
        f"{number:,}; split it or raise the limit.",
    )


def _page_text(pdf: pypdfium2.PdfDocument, number: int, pages: _Pages, limits: Limits) -> str:
    try:
        page = pdf[number - 1]
    except pypdfium2.PdfiumError:
        pages.warnings.append(f"Page {number} is damaged and was left out.")
        return ""
    try:
        text = _layer(page, limits)
        usable = _is_usable(text)
        if usable and not _is_captioned_picture(page, text):
            pages.layered += 1
            return text
        picture = _render(page, ocr.LONGEST_SIDE if limits.ocr else _PROBE_SIDE, _OCR_DPI)
        if is_blank(picture):
            return text if usable else ""
        if not limits.ocr:
            pages.unread.append(number)
            return text if usable else ""
        seen = ocr.recognise(picture).replace("\f", "\n")
        pages.recognised += 1
        return seen if len(seen) > len(text) or not usable else text
    finally:
        page.close()


def _layer(page: pypdfium2.PdfPage, limits: Limits) -> str:
    """Give the page's own text; cut where the document would be refused anyway, before it is copied."""
    try:
        layer = page.get_textpage()
    except pypdfium2.PdfiumError:
        return ""
    try:
        count = min(layer.count_chars(), limits.characters + 1)
        return layer.get_text_range(0, count).replace("\f", "\n") if count else ""
    finally:
        layer.close()


def _is_usable(text: str) -> bool:
    """Tell a text layer from none and from one that lies (fonts without a mapping to characters)."""
    if len("".join(text[:1_000].split())) < _TEXT_AT_LEAST:
        return False
    return len(_GARBAGE.findall(text)) <= _GARBAGE_SHARE * len(text)


def _is_captioned_picture(page: pypdfium2.PdfPage, text: str) -> bool:
    """Recognise a scan that carries a stamp or a page number as its only text."""
    if len(text) > _CAPTION_AT_MOST:
        return False
    area = page.get_width() * page.get_height()
    covered = 0.0
    for picture in page.get_objects(filter=(pdfium.FPDF_PAGEOBJ_IMAGE,), max_depth=3):
        left, bottom, right, top = picture.get_bounds()
        covered = max(covered, (right - left) * (top - bottom))
    return bool(area > 0 and covered > area / 2)


def _render(page: pypdfium2.PdfPage, longest: int, dpi: int) -> Image.Image:
    """Draw a page at most `longest` pixels on a side: the page's own size may be a hostile number."""
    side = max(page.get_width(), page.get_height(), 1.0)
    picture: Image.Image = page.render(scale=min(dpi / 72, longest / side)).to_pil()
    return picture.convert("RGB")
