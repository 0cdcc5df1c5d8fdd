"""PDF: real text with fonts, columns, tables and pages, or one picture a page as a scanner gives it.

Pages are not compressed: a sample then has the same bytes whatever zlib the machine has, and a diff shows what changed.
"""
# mypy: disable-error-code="import-untyped"

import io
from dataclasses import dataclass

from PIL import Image
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

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
    unglued,
    wrapped,
)


@dataclass(frozen=True, slots=True)
class Look:
    """How a page looks."""

    font: str = "Helvetica"
    bold: str = "Helvetica-Bold"
    size: float = 10
    margin: float = 62
    accent: str = "#1f3a5f"
    band: bool = False
    """A coloured band behind the title."""
    centred: bool = False
    footer: str = ""


LOOKS = (
    Look(),
    Look("Times-Roman", "Times-Bold", 11, 76, "#000000", centred=True),
    Look(accent="#7a1f2b", band=True, margin=54),
    Look("Courier", "Courier-Bold", 9, 60, "#222222"),
    Look("Times-Roman", "Times-Bold", 11.5, 66, "#24523b", footer="Confidential"),
    Look(size=9.5, margin=48, accent="#0b6e74", band=True, footer="Thank you"),
)


class Page:
    """A cursor that moves down the pages of a canvas."""

    def __init__(self, canvas: Canvas, look: Look) -> None:
        self.canvas, self.look = canvas, look
        self.page = 1
        self.y = A4[1] - look.margin
        self.width = A4[0] - 2 * look.margin

    def feed(self, height: float) -> None:
        """Move down, to the next page where this one is full."""
        if self.y - height < self.look.margin:
            self.turn()
        self.y -= height

    def turn(self) -> None:
        """Begin a new page."""
        self.foot()
        self.canvas.showPage()
        self.page += 1
        self.y = A4[1] - self.look.margin

    def foot(self) -> None:
        """Draw the foot of the page."""
        self.canvas.setFont(self.look.font, 8)
        self.canvas.setFillColor(colors.HexColor("#666666"))
        self.canvas.drawString(self.look.margin, 30, f"{self.look.footer}  Page {self.page}".strip())

    def write(self, text: str, x: float = 0, *, bold: bool = False, size: float = 0, colour: str = "#000000") -> None:
        """One line at the cursor; `x` from the margin."""
        self.canvas.setFont(self.look.bold if bold else self.look.font, size or self.look.size)
        self.canvas.setFillColor(colors.HexColor(colour))
        self.canvas.drawString(self.look.margin + x, self.y, unglued(text))

    def flow(self, text: str, x: float = 0, *, bullet: str = "") -> None:
        """A paragraph, wrapped to the page."""
        look = self.look
        lines = wrapped(text, self.width - x, lambda line: stringWidth(line, look.font, look.size))
        for number, line in enumerate(lines):
            self.feed(look.size * 1.35)
            self.write(f"{bullet} {line}" if bullet and not number else line, x - 10 if bullet and not number else x)


def heading(page: Page, block: Heading) -> None:
    """Draw a heading."""
    look = page.look
    size = look.size * (1.8 if block.level == 1 else 1.2)
    page.feed(size * 1.7)
    if block.level == 1 and look.band:
        page.canvas.setFillColor(colors.HexColor(look.accent))
        page.canvas.rect(look.margin - 8, page.y - 7, page.width + 16, size * 1.5, stroke=0, fill=1)
        page.write(block.text, bold=True, size=size, colour="#ffffff")
        return
    taken = stringWidth(unglued(block.text), look.bold, size)
    page.write(
        block.text,
        (page.width - taken) / 2 if look.centred and block.level == 1 else 0,
        bold=True,
        size=size,
        colour=look.accent,
    )


def table(page: Page, block: Table) -> None:
    """Draw a table."""
    wide = page.width / (len(block.header) + 1)
    lefts = [0, *(wide * (column + 2) for column in range(len(block.header) - 1))]
    for number, row in enumerate((block.header, *block.rows)):
        page.feed(page.look.size * 1.6)
        for left, cell in zip(lefts, row, strict=True):
            page.write(cell, left, bold=number == 0)
        page.canvas.setStrokeColor(colors.HexColor("#bbbbbb"))
        page.canvas.line(page.look.margin, page.y - 3, page.look.margin + page.width, page.y - 3)


def columns(page: Page, block: Columns) -> None:
    """Widths of the columns."""
    height = page.look.size * 1.4
    page.feed(height * max(len(block.left), len(block.right)))
    bottom = page.y
    top = bottom + height * (max(len(block.left), len(block.right)) - 1)
    for x, lines in ((0.0, block.left), (page.width * 0.56, block.right)):
        for number, line in enumerate(lines):
            page.y = top - number * height
            page.write(line, x, bold=number == 0)
    page.y = bottom


def draw(page: Page, block: Block) -> None:
    """Draw every block."""
    match block:
        case Heading():
            heading(page, block)
        case Paragraph(text):
            page.flow(text)
        case Lines(lines):
            for line in lines:
                page.flow(line)
        case Pairs(pairs, separator):
            for label, value in pairs:
                page.feed(page.look.size * 1.45)
                page.write(f"{label}{separator}", bold=True)
                page.write(value, page.width * 0.32)
        case Bullets(items):
            for item in items:
                page.flow(item, 14, bullet="-")
        case Table():
            table(page, block)
        case Columns():
            columns(page, block)
        case PageBreak():
            page.turn()
    page.y -= page.look.size * 0.7


def pdf(blocks: tuple[Block, ...], look: Look, password: str = "") -> bytes:
    """A PDF with a text layer; with a password nobody opens it without."""
    out = io.BytesIO()
    encrypt = StandardEncryption(password, ownerPassword=f"{password}-owner", strength=128) if password else None
    canvas = Canvas(out, pagesize=A4, invariant=1, pageCompression=0, encrypt=encrypt)
    page = Page(canvas, look)
    for block in blocks:
        draw(page, block)
    page.foot()
    canvas.save()
    return out.getvalue()


def scanned_pdf(pages: tuple[bytes, ...]) -> bytes:
    """A PDF whose pages are JPEG pictures and nothing else."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=1, pageCompression=0)
    for page in pages:
        canvas.drawImage(ImageReader(Image.open(io.BytesIO(page))), 0, 0, *A4)
        canvas.showPage()
    canvas.save()
    return out.getvalue()
