"""The values of document extraction: what goes in, what is allowed, and the two things that can come out.

    Document ─ read within Limits ─┬─ Extraction   the text and how it was found
                                   └─ Unreadable   a failure class and one sentence

They are plain frozen values because they cross a process border: parsers run in processes that may be killed.
"""

from dataclasses import dataclass
from typing import Literal

from shared.core.failures import Failure

MIB = 1024 * 1024

Method = Literal["text", "ocr", "mixed"]


@dataclass(frozen=True, slots=True)
class Document:
    """The bytes of one document with what its sender says about them."""

    data: bytes
    """The file as it was sent."""
    filename: str = ""
    """Its name; it appears in messages and never decides how the bytes are read."""
    content_type: str = ""
    """The declared media type; it decides only among the text types, which bytes alone cannot tell apart."""

    @property
    def label(self) -> str:
        """Name the document in one short printable line, whatever its sender called it."""
        printable = "".join(char if char.isprintable() else "?" for char in self.filename[:120])
        return printable or "the document"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one document may cost. The defaults suit documents that people write and scan."""

    size: int = 50 * MIB
    """Bytes of the file."""
    pages: int = 1_000
    """Pages of one document."""
    pixels: int = 100_000_000
    """Pixels of one image, by its header, before anything is decoded."""
    characters: int = 10_000_000
    """Characters of the text that comes out."""
    seconds: float = 30.0
    """Wall seconds, and processor seconds, for reading without OCR."""
    memory: int = 2_048 * MIB
    """Bytes of address space of a worker that reads."""
    ocr: bool = True
    """Whether pages that are pictures are recognised; if not, they end as `scanned`."""
    ocr_pages: int = 100
    """Pages of one document that may go through OCR."""
    ocr_seconds: float = 300.0
    """Wall seconds for one document that needs OCR (a page takes 1 with tesseract, 5 without)."""
    ocr_memory: int = 4_096 * MIB
    """Bytes of address space of a worker that recognises; the models alone take about one GB."""


@dataclass(frozen=True, slots=True)
class Extraction:
    """The text of a document."""

    text: str
    """Normalised text; a form feed stands between two pages, so that a later stage can cite the page."""
    media_type: str
    """What the bytes are, found from the bytes."""
    pages: int = 1
    """How many pages the text has: one more than its form feeds."""
    method: Method = "text"
    """Whether the text was in the file, was recognised in pictures, or both."""
    warnings: tuple[str, ...] = ()
    """What was left out, one sentence each."""
    unread: tuple[int, ...] = ()
    """Pages, counted from 1, that are pictures and were not recognised because OCR is off."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a document gives no text."""

    failure: Failure
    """The class, which decides what is done about it."""
    message: str
    """What is wrong, where, and what to do, in one sentence."""
