"""Where a value stands in the text it was taken from, for a value that stands nowhere was made up.

Texts and values differ in what nobody means: case, line breaks, ligatures, curly quotes, kinds of dashes. Both sides
are folded, and the place is mapped back, so that the span is true in the text as it is.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

ALIKE = str.maketrans(
    {
        "‘": "'",
        "’": "'",
        "‛": "'",
        "“": '"',
        "”": '"',
        "„": '"',
        "«": '"',
        "»": '"',
        "\u00ad": "",
        "\u200b": "",
        "\ufeff": "",
    }
    | dict.fromkeys("‐‑‒–—−", "-")
)
"""Signs that mean the same, and signs that mean nothing."""

TOKEN = re.compile(r"\s+|[!-~]+|\S")
LETTER = re.compile(r"[A-Za-z\u00c0-\u024f\u0370-\u03ff\u0400-\u04ff]")
"""Letters of scripts that set blanks between words; in others a value may stand among its neighbours."""


def pieces(text: str) -> Iterator[tuple[str, int, bool]]:
    """The folded text piece by piece: the piece, where it begins, and whether each of its characters is one there."""
    blank = False
    for match in TOKEN.finditer(text):
        token = match[0]
        if token.isspace():
            if not blank:
                yield " ", match.start(), False
            blank = True
        elif token.isascii():
            yield token.lower(), match.start(), True
            blank = False
        elif piece := unicodedata.normalize("NFKD", token.translate(ALIKE)).casefold().replace(" ", ""):
            yield piece, match.start(), False
            blank = False


def folded(text: str) -> str:
    """The text without what nobody means."""
    return "".join(piece for piece, _, _ in pieces(text)).strip()


class Place(NamedTuple):
    """A stretch of a text."""

    start: int
    """Where it begins, in characters."""
    end: int
    """Where it ends, one past its last character."""


@dataclass(frozen=True)
class Ground:
    """A text in which values are looked up."""

    text: str
    """As the document has it."""

    @cached_property
    def _mapped(self) -> tuple[str, list[int]]:
        """The folded text, and where in the text each of its characters comes from."""
        parts: list[str] = []
        origins: list[int] = []
        for piece, start, own in pieces(self.text):
            parts.append(piece)
            origins.extend(range(start, start + len(piece)) if own else [start] * len(piece))
        return "".join(parts), origins

    def find(self, value: str) -> Place | None:
        """The first place where the value stands as words of its own; None where it stands nowhere."""
        wanted = folded(value)
        text, origins = self._mapped
        at = text.find(wanted) if wanted else -1
        while at >= 0:
            end = at + len(wanted)
            if not _torn(text, at, end, origins):
                return Place(origins[at], origins[end - 1] + 1)
            at = text.find(wanted, at + 1)
        return None

    def find_all(self, values: str) -> Place | None:
        """From the first to the last of several values, where each stands somewhere; they need not stand together."""
        if whole := self.find(values):
            return whole
        items = [self.find(item) for item in re.split(r"[,;\n]", values) if item.strip()]
        known = [place for place in items if place]
        if not known or len(known) < len(items):
            return None
        return Place(min(place.start for place in known), max(place.end for place in known))


def _torn(text: str, start: int, end: int, origins: list[int]) -> bool:
    """Whether the stretch begins or ends within a word, a number or a single character of the text."""
    before, after = text[max(start - 2, 0) : start], text[end : end + 2]
    return (
        (start > 0 and origins[start - 1] == origins[start])
        or (end < len(text) and origins[end - 1] == origins[end])
        or bool(after and unicodedata.combining(after[0]))
        or bool(LETTER.match(text[start]) and before and LETTER.match(before[-1]))
        or bool(LETTER.match(text[end - 1]) and after and LETTER.match(after[0]))
        or bool(text[start].isdigit() and re.search(r"\d[.,]?$", before))
        or bool(text[end - 1].isdigit() and re.match(r"[.,]?\d", after))
    )
