"""What a sample document is made of before it has a format.

    Draft    what is said: blocks, and the type and fields to be found in them
    Sample   a draft (or something broken on purpose) as a file

Values that are expected as fields must stay on one line in every format: `glued` puts no-break spaces into them, and
every writer breaks lines at plain spaces only, then writes plain spaces for both.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

GLUE = "\u00a0"


@dataclass(frozen=True, slots=True)
class Heading:
    """A line that opens a part."""

    text: str
    level: int = 1
    """1 is the document's title, 2 a section."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True, slots=True)
class Lines:
    """Short lines that stand one below the other: an address, a signature."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Labels with their values, one pair a line."""

    pairs: tuple[tuple[str, str], ...]
    separator: str = ":"


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of points."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """Two groups of lines side by side; the left one is read first."""

    left: tuple[str, ...]
    right: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PageBreak:
    """Where a new page begins."""

    pass


Block = Heading | Paragraph | Lines | Pairs | Bullets | Table | Columns | PageBreak


@dataclass(frozen=True, slots=True)
class Draft:
    """What a document says, and what should be found in it."""

    document_type: str
    blocks: tuple[Block, ...]
    fields: Mapping[str, str] = field(default_factory=dict)
    """Expected field to its value, exactly as it occurs in the text, each on one line."""
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Sample:
    """One file of the sample set and what becomes of it."""

    name: str
    media_type: str
    content: bytes
    text: str = ""
    """The text as its author knows it, from which no format took anything; empty for broken files."""
    document_type: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    failure: str = ""
    """The failure class of a file that is broken on purpose; empty for a good one."""
    ocr: bool = False
    """Whether the text exists only as pixels."""


def glued(value: str) -> str:
    """The value with spaces at which no writer breaks a line."""
    return value.replace(" ", GLUE)


def unglued(text: str) -> str:
    """The text with its soft hyphens and hard spaces made plain."""
    return text.replace(GLUE, " ")


def wrapped(text: str, width: float, measure: Callable[[str], float] = len) -> list[str]:
    """Greedy line breaking at plain spaces; a word wider than the line stays whole."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if line and measure(unglued(longer)) > width:
            lines.append(unglued(line))
            line = word
        else:
            line = longer
    return [*lines, unglued(line)]


def lines_of(block: Block) -> Iterator[str]:
    """The block as unbroken lines of text."""
    match block:
        case Heading(text) | Paragraph(text):
            yield text
        case Lines(lines):
            yield from lines
        case Pairs(pairs, separator):
            yield from (f"{label}{separator} {value}" for label, value in pairs)
        case Bullets(items):
            yield from (f"- {item}" for item in items)
        case Table(header, rows):
            yield from ("  ".join(row) for row in (header, *rows))
        case Columns(left, right):
            yield from (*left, *right)
        case PageBreak():
            yield ""


def source_text(blocks: tuple[Block, ...]) -> str:
    """The text of all blocks, an empty line between two."""
    return unglued("\n\n".join("\n".join(lines_of(block)) for block in blocks)) + "\n"
