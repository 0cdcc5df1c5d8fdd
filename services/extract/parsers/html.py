"""Reads HTML: all text, block by block.

Main-text extraction would be tidier and loses up to half of the text of some pages; a later stage can ignore a
menu but cannot cite what is gone.
"""

import re

from selectolax.lexbor import LexborHTMLParser

from services.extract.extraction import Document, Extraction, Limits, Unreadable
from services.extract.plaintext import decode
from services.extract.sniff import HTML
from shared.core.failures import Failure

ATTRIBUTES = 5_000
DEPTH = 10_000

_CHARSET = re.compile(rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?([A-Za-z0-9_.:-]{2,40})""", re.I)
_HIDDEN = ["script", "style", "noscript", "template", "svg", "iframe", "object"]
_BLOCKS = (
    "p,div,section,article,header,footer,main,aside,nav,h1,h2,h3,h4,h5,h6,ul,ol,li,dl,dt,dd,table,tr,caption,"
    "blockquote,pre,form,fieldset,figure,figcaption,address,title,option,summary,details"
)
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)")
_CLOSES_ITSELF = {"p", "li", "dt", "dd", "tr", "td", "th", "option", "thead", "tbody", "tfoot"}
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_LINE, _CELL = "\x01", "\x02"


def parse(document: Document, limits: Limits) -> Extraction | Unreadable:
    """Read the visible text of a page."""
    declared = _CHARSET.search(document.data[:2_048])
    source = decode(document.data, declared[1].decode("ascii") if declared else "")
    if source is None:
        return Unreadable(
            Failure.UNSUPPORTED, f"{document.label} is declared as HTML but holds binary data; resend it."
        )
    if trick := _trick(source):
        return Unreadable(
            Failure.BOMB, f"{document.label} is HTML built to exhaust its reader ({trick}); do not trust its sender."
        )
    return Extraction(text_of(source), HTML)


def text_of(source: str) -> str:
    """Give the text of HTML source; blocks end lines, cells are separated by tabs, inline markup leaves no trace.

    The marks are put into the tree as control characters, since white space of the source must collapse first and
    text joined with a separator would tear `<b>Total</b>: 5` apart.
    """
    tree = LexborHTMLParser(source.replace(_LINE, "").replace(_CELL, ""))
    if tree.root is None:
        return ""
    tree.strip_tags(_HIDDEN)
    for block in tree.css(_BLOCKS):
        block.insert_before(_LINE)
        block.insert_after(_LINE)
    for line_break in tree.css("br,hr"):
        line_break.insert_after(_LINE)
    for cell in tree.css("td,th"):
        cell.insert_after(_CELL)
    flat = " ".join(tree.root.text(deep=True).split())
    return _tidy(flat)


def _tidy(flat: str) -> str:
    lines = (
        "\t".join(cell.strip() for cell in line.split(_CELL)).strip()
        for line in re.split(f" ?{_LINE}[{_LINE} ]*", flat)
    )
    return "\n".join(line for line in lines if line)


def _trick(source: str) -> str:
    """Spot the two shapes that make the parser quadratic, before it starts; empty if there are none."""
    for start in range(0, len(source), 65_536):
        piece = source[start : start + 65_536]
        if ">" not in piece and piece.count("=") > ATTRIBUTES and piece.count(" ") > ATTRIBUTES:
            return f"more than {ATTRIBUTES:,} attributes on one element"
    if source.count("<") < DEPTH:
        return ""
    depth = 0
    for closing, name in _TAG.findall(source):
        if name.lower() in _VOID or name.lower() in _CLOSES_ITSELF:
            continue
        depth = max(0, depth - 1) if closing else depth + 1
        if depth > DEPTH:
            return f"elements nested more than {DEPTH:,} deep"
    return ""
