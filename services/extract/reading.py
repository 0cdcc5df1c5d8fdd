"""Reads one document in this process: sniff, parse, normalise. Called inside a sandboxed worker.

It keeps no state and catches nothing on behalf of the parsers: what they do not expect ends the worker, and the
sandbox names it. Outside a worker a hostile file can take the caller with it.
"""

from collections.abc import Callable
from dataclasses import replace

from services.extract.extraction import Document, Extraction, Limits, Unreadable
from services.extract.parsers import docx, html, image, mail, pdf, text
from services.extract.plaintext import normalise
from services.extract.sniff import CSV, DOCX, HTML, MAIL, PDF, PLAIN, refuse, sniff
from shared.core.failures import Failure

PARSERS: dict[str, Callable[[Document, Limits], Extraction | Unreadable]] = {
    PDF: pdf.parse,
    DOCX: docx.parse,
    HTML: html.parse,
    MAIL: mail.parse,
    CSV: text.parse_csv,
    PLAIN: text.parse_plain,
    **dict.fromkeys(image.MEDIA_TYPES, image.parse),
}
"""Media type to parser."""


def read(document: Document, limits: Limits) -> Extraction | Unreadable:
    """Read a document within limits; the order of the checks is the order in which failures are named."""
    if refused := refuse(document, limits):
        return refused
    media_type = sniff(document)
    if isinstance(media_type, Unreadable):
        return media_type
    found = PARSERS[media_type](document, limits)
    return found if isinstance(found, Unreadable) else _finish(document, limits, found)


def _finish(document: Document, limits: Limits, found: Extraction) -> Extraction | Unreadable:
    if len(found.text) > limits.characters:
        return Unreadable(
            Failure.TOO_LARGE,
            f"{document.label} gives {len(found.text):,} characters, more than the limit of {limits.characters:,}; "
            "split it or raise the limit.",
        )
    body = normalise(found.text)
    if not body.strip():
        return Unreadable(
            Failure.EMPTY, f"{document.label} ({found.media_type}) has no text in it; check that it is the right file."
        )
    return replace(found, text=body, pages=body.count("\f") + 1)
