"""DOCX: the smallest package that word processors open, written by hand."""

import io
import zipfile
from collections.abc import Iterator
from xml.sax.saxutils import escape

from infra.samples.blocks import Block, Bullets, Columns, Heading, PageBreak, Pairs, Table, lines_of, unglued

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
EPOCH = (2026, 1, 1, 0, 0, 0)
"""The date of every member: a package must not know when it was made."""

TYPES = (
    f'{DECLARATION}<Types xmlns="{PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/word/document.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
RELATIONS = (
    f'{DECLARATION}<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>'
)


def run(text: str, *, bold: bool = False, size: int = 0) -> str:
    """A run of text."""
    look = ("<w:b/>" if bold else "") + (f'<w:sz w:val="{size}"/>' if size else "")
    return f'<w:r><w:rPr>{look}</w:rPr><w:t xml:space="preserve">{escape(unglued(text))}</w:t></w:r>'


def paragraph(*runs: str) -> str:
    """A paragraph."""
    return f"<w:p>{''.join(runs)}</w:p>"


def table(rows: Iterator[tuple[str, ...]] | tuple[tuple[str, ...], ...]) -> str:
    """A table."""
    cells = ("".join(f"<w:tc>{paragraph(run(cell))}</w:tc>" for cell in row) for row in rows)
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"


def part(block: Block) -> str:
    """One block as WordprocessingML; lines of a group are split by breaks, pairs by a tab."""
    match block:
        case Heading(text, level):
            return paragraph(run(text, bold=True, size=40 if level == 1 else 28))
        case Pairs(pairs, separator):
            return "".join(
                paragraph(run(f"{label}{separator}", bold=True), "<w:r><w:tab/></w:r>", run(value))
                for label, value in pairs
            )
        case Bullets(items):
            return "".join(paragraph(run(item)) for item in items)
        case Table(header, rows):
            return table((header, *rows))
        case Columns(left, right):
            return "".join(paragraph("<w:r><w:br/></w:r>".join(run(line) for line in side)) for side in (left, right))
        case PageBreak():
            return paragraph('<w:r><w:br w:type="page"/></w:r>')
        case _:
            return paragraph("<w:r><w:br/></w:r>".join(run(line) for line in lines_of(block)))


def packed(members: dict[str, bytes]) -> bytes:
    """The members as a zip file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(info, content)
    return out.getvalue()


def members(body: str) -> dict[str, bytes]:
    """The parts of a package whose body is given as WordprocessingML."""
    document = f'{DECLARATION}<w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>'
    return {
        "[Content_Types].xml": TYPES.encode(),
        "_rels/.rels": RELATIONS.encode(),
        "word/document.xml": document.encode(),
    }


def docx(blocks: tuple[Block, ...]) -> bytes:
    """A word processor's document."""
    return packed(members("".join(part(block) for block in blocks)))
