"""Reads plain text and CSV."""

import csv
import io

from services.extract.extraction import Document, Extraction, Limits, Unreadable
from services.extract.plaintext import decode
from services.extract.sniff import CSV, PLAIN
from shared.core.failures import Failure


def parse_plain(document: Document, limits: Limits) -> Extraction | Unreadable:
    """Read plain text."""
    return _decoded(document, PLAIN)


def parse_csv(document: Document, limits: Limits) -> Extraction | Unreadable:
    """Read a table as one line per row with tabs between cells.

    Quotes go: a value such as `Acme, Inc.` or `7" nails` must stand in the text as it would be cited.
    """
    found = _decoded(document, CSV)
    if isinstance(found, Unreadable):
        return found
    head = found.text[:4_096]
    delimiter = max(",;\t", key=head.count)
    csv.field_size_limit(limits.size)
    try:
        rows = ["\t".join(" ".join(cell.split()) for cell in row) for row in _rows(found.text, delimiter)]
    except csv.Error:
        return Extraction(found.text, CSV, warnings=("The table has broken quoting and was taken as plain text.",))
    return Extraction("\n".join(rows), CSV)


def _rows(text: str, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def _decoded(document: Document, media_type: str) -> Extraction | Unreadable:
    text = decode(document.data)
    if text is None:
        return Unreadable(
            Failure.UNSUPPORTED, f"{document.label} is declared as {media_type} but holds binary data; send it as text."
        )
    return Extraction(text, media_type)
