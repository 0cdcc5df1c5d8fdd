"""Plain text, CSV, HTML and mail."""

import csv
import io
from email.message import EmailMessage
from html import escape

from infra.samples.blocks import (
    Block,
    Bullets,
    Columns,
    Heading,
    Lines,
    PageBreak,
    Pairs,
    Paragraph,
    Table,
    lines_of,
    unglued,
    wrapped,
)

STYLE = "body{font-family:sans-serif;max-width:46em;margin:2em auto} td,th{padding:.2em .8em;text-align:left}"


def plain(blocks: tuple[Block, ...], width: int = 78) -> str:
    """Text as an editor shows it: wrapped, titles underlined."""
    out: list[str] = []
    for block in blocks:
        for line in lines_of(block):
            out += wrapped(line, width)
        if isinstance(block, Heading):
            out.append(("=" if block.level == 1 else "-") * min(width, len(block.text)))
        out.append("")
    return unglued("\n".join(out).rstrip()) + "\n"


def comma_separated(table: Table) -> bytes:
    """Rows as CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows((table.header, *table.rows))
    return out.getvalue().encode()


def row(cells: tuple[str, ...], tag: str = "td") -> str:
    """One row, its cells side by side."""
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def element(block: Block) -> str:
    """One block as HTML."""
    match block:
        case Heading(text, level):
            return f"<h{level}>{escape(text)}</h{level}>"
        case Paragraph(text):
            return f"<p>{escape(text)}</p>"
        case Lines(lines):
            return f"<p>{'<br>'.join(escape(line) for line in lines)}</p>"
        case Pairs(pairs, separator):
            rows = "\n".join(row((f"{label}{separator}", value)) for label, value in pairs)
            return f"<table>\n{rows}\n</table>"
        case Bullets(items):
            return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"
        case Table(header, rows):
            body = "\n".join(row(cells) for cells in rows)
            return f"<table>\n{row(header, 'th')}\n{body}\n</table>"
        case Columns(left, right):
            sides = ("<br>".join(escape(line) for line in side) for side in (left, right))
            return "".join(f'<div class="side">{side}</div>' for side in sides)
        case PageBreak():
            return "<hr>"


def html(blocks: tuple[Block, ...], language: str = "en") -> str:
    """A page as a browser shows it, with a style and a script that are no text."""
    title = next((block.text for block in blocks if isinstance(block, Heading)), "Document")
    body = unglued("\n".join(element(block) for block in blocks))
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head><meta charset="utf-8">'
        f"<title>{escape(unglued(title))}</title>\n"
        f"<style>{STYLE}</style>\n<script>window.seen = true;</script></head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def mail(blocks: tuple[Block, ...], sender: str, to: str, subject: str, *, with_html: bool = False) -> bytes:
    """A message as it lies in a mailbox; with HTML it says the same twice."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Date"] = "Tue, 14 Apr 2026 09:12:00 +0000"
    message["Message-ID"] = f"<{sum(subject.encode())}@mail.example>"
    message.set_content(plain(blocks), cte="quoted-printable")
    if with_html:
        message.add_alternative(html(blocks), subtype="html", cte="quoted-printable")
        message.set_boundary("=_the-same-twice_=")
    return message.as_bytes()
