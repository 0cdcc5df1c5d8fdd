"""Finds what a document is from its bytes, before any parser sees them.

The name and the declared type are ignored where the bytes speak for themselves: a parser started on the word of the
sender would turn a mislabelled file into `corrupt`, or an executable into pages of noise. Among the text types bytes
are ambiguous, so there the declared type is heard.
"""

import io
import re
import zipfile

import olefile

from services.extract.extraction import Document, Limits, Unreadable
from services.extract.plaintext import decode, is_binary
from shared.core.failures import Failure

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
HTML = "text/html"
MAIL = "message/rfc822"
CSV = "text/csv"
PLAIN = "text/plain"
ACCEPTED = "PDF, DOCX, HTML, e-mail, plain text, CSV, PNG, JPEG, TIFF, GIF, BMP or WebP"

ZIP_ENTRIES = 2_000
_HEAD = 4_096

_IMAGES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_FOREIGN = (
    (b"\x7fELF", "an ELF executable"),
    (b"MZ", "a Windows executable"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"{\\rtf", "an RTF document"),
    (b"%!PS", "a PostScript program"),
    (b"SQLite format 3", "a database"),
)
_HTML_START = re.compile(r"<(?:!doctype\s+html|html|head|body|title|meta|div|table|article|h1|p)[\s>/]", re.IGNORECASE)
_HEADER = re.compile(r"^([A-Za-z][A-Za-z0-9-]{1,40}):[ \t]*\S", re.MULTILINE)
_TRANSPORT = {"message-id", "mime-version", "received", "return-path", "delivered-to", "date"}


def refuse(document: Document, limits: Limits) -> Unreadable | None:
    """Refuse what needs no look inside: nothing at all, or too much of it."""
    if not document.data or not document.data.strip(b"\x00 \t\r\n\x0b\x0c"):
        return Unreadable(Failure.EMPTY, f"{document.label} holds no bytes but white space; send the file again.")
    if len(document.data) > limits.size:
        return Unreadable(
            Failure.TOO_LARGE,
            f"{document.label} has {len(document.data):,} bytes, more than the limit of {limits.size:,}; "
            "split it or raise the limit.",
        )
    return None


def sniff(document: Document) -> str | Unreadable:
    """Find the media type of the bytes."""
    head = document.data[:_HEAD]
    if b"%PDF-" in head[:1_024]:
        return PDF
    for magic, media_type in _IMAGES:
        if head.startswith(magic):
            return media_type
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0":
        return "image/bmp"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zipped(document)
    if head.startswith(olefile.MAGIC):
        return _compound(document)
    for magic, name in _FOREIGN:
        if head.startswith(magic):
            return _unsupported(document, name)
    return _textual(document)


def _unsupported(document: Document, what: str) -> Unreadable:
    return Unreadable(Failure.UNSUPPORTED, f"{document.label} is {what}; send it as {ACCEPTED}.")


def _zipped(document: Document) -> str | Unreadable:
    try:
        with zipfile.ZipFile(io.BytesIO(document.data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        return Unreadable(
            Failure.CORRUPT,
            f"{document.label} starts like a zip archive (DOCX) but has no readable directory ({error}); "
            "send a complete copy.",
        )
    if len(names) > ZIP_ENTRIES:
        return Unreadable(
            Failure.BOMB,
            f"{document.label} is an archive of {len(names):,} entries, more than {ZIP_ENTRIES:,}; "
            "do not open it before you know its sender.",
        )
    if any(name.startswith("word/document") for name in names):
        return DOCX
    for folder, name in (("xl/", "an Excel workbook"), ("ppt/", "a PowerPoint file")):
        if any(entry.startswith(folder) for entry in names):
            return _unsupported(document, name)
    return _unsupported(document, "a zip archive without a Word document")


def _compound(document: Document) -> str | Unreadable:
    try:
        with olefile.OleFileIO(io.BytesIO(document.data)) as container:
            encrypted = bool(container.exists("EncryptedPackage"))
    except (OSError, ValueError, IndexError) as error:
        return Unreadable(
            Failure.CORRUPT,
            f"{document.label} starts like an Office file but its directory cannot be read ({error}); "
            "send a complete copy.",
        )
    if encrypted:
        return Unreadable(
            Failure.ENCRYPTED, f"{document.label} is an Office file locked with a password; send it without one."
        )
    return _unsupported(document, "a legacy Office or Outlook file")


def _textual(document: Document) -> str | Unreadable:
    text = None if is_binary(document.data) else decode(document.data[:_HEAD])
    if text is None:
        return _unsupported(document, "binary data of no known format")
    declared = document.content_type.partition(";")[0].strip().lower()
    if declared in (HTML, MAIL, CSV, PLAIN):
        return declared
    start = text.lstrip("\ufeff \t\r\n")
    if start.startswith("<") and _HTML_START.search(start[:1_024]):
        return HTML
    if _is_mail(start):
        return MAIL
    return CSV if _is_table(text) else PLAIN


def _is_mail(start: str) -> bool:
    """Tell a message from a memo: only a message carries headers that mail servers write."""
    block = start.replace("\r\n", "\n").partition("\n\n")[0]
    names = {name.lower() for name in _HEADER.findall(block)}
    return "from" in names and bool(names & _TRANSPORT) and len(names) >= 3


def _is_table(text: str) -> bool:
    """Recognise a table by lines that all have the same number of the same separator."""
    lines = [line for line in text.splitlines()[:20] if line.strip()]
    if len(text) >= _HEAD - 4 and len(lines) > 3:
        lines.pop()
    if len(lines) < 3:
        return False
    return any(len({line.count(mark) for line in lines}) == 1 and mark in lines[0] for mark in ",;\t")
