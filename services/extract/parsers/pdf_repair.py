"""What pypdf adds to pdfium: text of files that pdfium refuses, and the values typed into forms."""

import io
import logging
import zlib
from collections.abc import Iterator

from pypdf import PdfReader
from pypdf.errors import LimitReachedError, PyPdfError
from pypdf.generic import DictionaryObject

from services.extract.extraction import Document, Extraction, Limits, Unreadable
from services.extract.sniff import PDF
from shared.core.failures import Failure

# pypdf walks damaged structures without checking each step, so on them almost any error of Python can come out.
_BREAKS = (
    PyPdfError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    zlib.error,
)
_PARENTS = 20
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def second_try(document: Document, limits: Limits) -> Extraction | Unreadable:
    """Read a file that pdfium calls broken; only text counts as success."""
    pages: list[str] = []
    try:
        reader = PdfReader(io.BytesIO(document.data))
        if reader.is_encrypted and not reader.decrypt(""):
            return _corrupt(document)
        if len(reader.pages) > limits.pages:
            return Unreadable(
                Failure.TOO_LARGE,
                f"{document.label} has {len(reader.pages):,} pages, more than the limit of {limits.pages:,}; split it.",
            )
        for page in reader.pages:
            pages.append(page.extract_text().replace("\f", "\n"))
    except LimitReachedError as error:
        return Unreadable(
            Failure.BOMB, f"{document.label} is a PDF built to exhaust its reader ({error}); do not trust its sender."
        )
    except _BREAKS:
        if not any(page.strip() for page in pages):
            return _corrupt(document)
    if not any(page.strip() for page in pages):
        return _corrupt(document)
    warning = f"The PDF is damaged; {len(pages)} pages were recovered."
    return Extraction("\f".join(pages), PDF, len(pages), warnings=(warning,))


def with_form_values(document: Document, texts: list[str]) -> list[str]:
    """Add to each page the fields that were filled in on it, one `name: value` a line; pdfium's text lacks them."""
    try:
        reader = PdfReader(io.BytesIO(document.data))
        values = [list(_values(page)) for page in reader.pages]
    except _BREAKS:
        return texts
    return ["\n".join([text, *added]) for text, added in zip(texts, values, strict=False)] + texts[len(values) :]


def _values(page: DictionaryObject) -> Iterator[str]:
    for reference in page.get("/Annots") or ():
        field = reference.get_object()
        if field.get("/Subtype") != "/Widget":
            continue
        name, value = _inherited(field, "/T"), _inherited(field, "/V")
        if isinstance(value, str) and value.strip() and value not in ("/Off", "Off"):
            yield f"{name}: {value.lstrip('/')}"


def _inherited(field: DictionaryObject, key: str) -> object:
    """Look a key up in a field and its parents; the chain is bounded because a hostile file closes it to a ring."""
    for _ in range(_PARENTS):
        if key in field:
            return field[key]
        parent = field.get("/Parent")
        if parent is None:
            return ""
        field = parent.get_object()
    return ""


def _corrupt(document: Document) -> Unreadable:
    return Unreadable(
        Failure.CORRUPT, f"{document.label} is a damaged PDF and no text can be saved; export or send it again."
    )
