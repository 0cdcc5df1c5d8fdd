"""Reads DOCX: the zip with budgets, the XML as a stream.

Own reader because the usual libraries expand a zip bomb without limit and refuse or lose good files (Strict, .docm,
text boxes). The XML parser must not recover: a recovered bomb comes back as an empty success.
"""

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator

from lxml import etree

from services.extract.extraction import MIB, Document, Extraction, Limits, Unreadable
from services.extract.sniff import DOCX
from shared.core.failures import Failure

PART_BYTES = 100 * MIB
RATIO = 200
RATIO_FROM = 10 * MIB
_CHUNK = 65_536
_BREAKS_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError)
_HOSTILE_XML = re.compile("amplification|entity reference loop|excessive depth|huge input|too long", re.IGNORECASE)
_NOTES = re.compile(r"(?:footnotes|endnotes|comments|header\d*|footer\d*)\.xml")
_RELATION = "officeDocument"


class _OverBudget(Exception):
    """A part of the archive grows past its budget while it is unpacked."""


def parse(document: Document, limits: Limits) -> Extraction | Unreadable:
    """Read body, notes, comments, headers and footers, in this order."""
    try:
        with zipfile.ZipFile(io.BytesIO(document.data)) as archive:
            parts = _parts(archive)
            if any(archive.getinfo(name).flag_bits & 1 for name in parts):
                return Unreadable(
                    Failure.ENCRYPTED, f"{document.label} is an archive locked with a password; send it without one."
                )
            text = "\n".join(_text(_unpack(archive, name)) for name in parts)
    except _OverBudget as error:
        return _bomb(document, str(error))
    except etree.XMLSyntaxError as error:
        if _HOSTILE_XML.search(str(error)):
            return _bomb(document, str(error))
        return _corrupt(document, str(error))
    except _BREAKS_ZIP as error:
        return _corrupt(document, str(error))
    return Extraction(text, DOCX)


def _bomb(document: Document, why: str) -> Unreadable:
    return Unreadable(
        Failure.BOMB, f"{document.label} is a DOCX built to exhaust its reader ({why}); do not trust its sender."
    )


def _corrupt(document: Document, why: str) -> Unreadable:
    return Unreadable(
        Failure.CORRUPT, f"{document.label} is a damaged DOCX ({why}); open and save it again, or send a complete copy."
    )


def _parts(archive: zipfile.ZipFile) -> list[str]:
    """Name the parts with text: the main one by the relation that points to it, since its name is free."""
    names = archive.namelist()
    main = "word/document.xml"
    if "_rels/.rels" in names and not archive.getinfo("_rels/.rels").flag_bits & 1:
        for relation in etree.fromstring(_unpack(archive, "_rels/.rels"), etree.XMLParser(resolve_entities=False)):
            if relation.get("Type", "").endswith(f"/{_RELATION}"):
                main = relation.get("Target", main).lstrip("/")
    if main not in names:
        main = next(name for name in names if name.startswith("word/document"))
    folder = posixpath.dirname(main)
    notes = (n for n in names if posixpath.dirname(n) == folder and _NOTES.fullmatch(posixpath.basename(n)))
    return [main, *sorted(notes, key=_reading_order)]


def _reading_order(name: str) -> tuple[bool, str]:
    """Notes and comments belong to the body; headers and footers come last."""
    base = posixpath.basename(name)
    return base.startswith(("header", "footer")), base


def _unpack(archive: zipfile.ZipFile, name: str) -> bytes:
    """Unpack a part, counting while reading: the sizes in the archive's directory may lie."""
    packed = archive.getinfo(name).compress_size
    parts: list[bytes] = []
    size = 0
    with archive.open(name) as stream:
        while chunk := stream.read(_CHUNK):
            parts.append(chunk)
            size += len(chunk)
            if size > PART_BYTES or (size > RATIO_FROM and size > RATIO * max(packed, 1)):
                raise _OverBudget(f"{name} unpacks {packed:,} bytes to more than {size:,}")
    return b"".join(parts)


def _text(xml: bytes) -> str:
    return "".join(_pieces(xml))


def _pieces(xml: bytes) -> Iterator[str]:
    """Yield the text of one part; a fallback repeats what its alternative said and is left out."""
    stream = etree.iterparse(
        io.BytesIO(xml), events=("start", "end"), resolve_entities=False, no_network=True, recover=False
    )
    fallbacks = cells = 0
    fresh_page = True
    for event, element in stream:
        name = etree.QName(element).localname if isinstance(element.tag, str) else ""
        if event == "start":
            fallbacks += name == "Fallback"
            cells += name == "tc"
            continue
        fallbacks -= name == "Fallback"
        cells -= name == "tc"
        piece = "" if fallbacks else _piece(name, element, cells > 0, fresh_page)
        if piece:
            fresh_page = piece == "\f" or (fresh_page and not piece.strip(" \t\n"))
            yield piece
        if name in ("p", "tr"):
            element.clear()


def _piece(name: str, element: etree._Element, in_cell: bool, fresh_page: bool) -> str:
    """Say what the end of an element adds to the text."""
    match name:
        case "t":
            return element.text or ""
        case "p":
            return " " if in_cell else "\n"
        case "tr":
            return "\n"
        case "tc" | "tab":
            return "\t"
        case "cr":
            return "\n"
        case "noBreakHyphen":
            return "-"
        case "br":
            kind = next((value for key, value in element.attrib.items() if key.endswith("}type")), "")
            return "\n" if kind != "page" else "" if fresh_page else "\f"
        case "lastRenderedPageBreak":
            # Word writes it right after an explicit break too: there the page is fresh and no second break is due.
            return "" if fresh_page else "\f"
        case _:
            return ""
