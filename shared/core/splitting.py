"""A long text in parts that each fit into a window: cut between paragraphs, with an overlap, each page marked. Pure.

    page 1: A B | page 2: C D E        room for three paragraphs, overlap of one

    part 1   [page 1] A B  [page 2] C
    part 2   [page 2] C D E

A fact stands mostly in one paragraph, or goes on in the next one: hence the overlap. Only a paragraph that has no room
by itself is cut, between its lines, else between words, else anywhere. No character of the text is lost.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shared.core.tokens import rough

PAGE = "\f"
"""Stands between two pages of a text."""
PARAGRAPH = re.compile(r"\n[ \t]*\n+")
"""Stands between two paragraphs."""
OVERLAP = 0.1
"""Largest share of a part that repeats the end of the one before."""
SMALLEST_ROOM = 64
"""Rough tokens of a part below which cutting makes no sense."""
MARK = 8
"""Rough tokens that a page's mark takes."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a text."""

    number: int
    """From 1."""
    of: int
    """How many parts there are."""
    text: str
    """What it holds; where the text has pages, each begins with its mark."""
    first_page: int
    """Page it begins on, from 1."""
    last_page: int
    """Page it ends on."""

    def __str__(self) -> str:
        pages = f"page {self.first_page}"
        if self.last_page > self.first_page:
            pages = f"pages {self.first_page} to {self.last_page}"
        return f"part {self.number} of {self.of}, {pages}"


@dataclass(frozen=True, slots=True)
class Piece:
    """A paragraph, or a part of one that is too long."""

    text: str
    """What it says."""
    page: int
    """The page it stands on, from 1."""
    size: int
    """Its rough tokens, and the mark it may need."""


def split(text: str, room: int) -> tuple[Part, ...]:
    """The parts of a text, none longer than `room` rough tokens. Raises ValueError where that holds no sentence."""
    if room < SMALLEST_ROOM:
        raise ValueError(f"parts of {room} tokens hold nothing: at least {SMALLEST_ROOM}")
    groups = list(_groups(pieces(text, room), room))
    paged = PAGE in text
    return tuple(
        Part(number, len(groups), _written(group, paged), group[0].page, group[-1].page)
        for number, group in enumerate(groups, 1)
    )


def pieces(text: str, room: int) -> Iterator[Piece]:
    """The paragraphs in order; those that have no room by themselves cut."""
    for page, words in enumerate(text.split(PAGE), 1):
        for paragraph in PARAGRAPH.split(words):
            for piece in _cut(paragraph, room - MARK):
                if piece.strip():
                    yield Piece(piece, page, rough(piece) + MARK)


def _groups(found: Iterable[Piece], room: int) -> Iterator[list[Piece]]:
    group: list[Piece] = []
    size = 0
    for piece in found:
        if group and size + piece.size > room:
            yield group
            group = _tail(group, min(int(room * OVERLAP), room - piece.size))
            size = sum(each.size for each in group)
        group.append(piece)
        size += piece.size
    if group:
        yield group


def _tail(group: list[Piece], most: int) -> list[Piece]:
    """The end of a part that the next one repeats."""
    kept: list[Piece] = []
    for piece in reversed(group[1:]):
        most -= piece.size
        if most < 0:
            break
        kept.insert(0, piece)
    return kept


def _cut(text: str, room: int) -> Iterator[str]:
    """The text in pieces of at most `room` rough tokens, cut at the last line's end, blank, or sign that fits."""
    # No token has more than four signs, but blanks are none: what is far longer than the room is cut without counting
    # it whole, for a text without paragraphs would be counted once for each of its pieces.
    while len(text) > room * 8 or rough(text) > room:
        low, high = 1, min(len(text), room * 4)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if rough(text[:middle]) <= room else (low, middle - 1)
        end = next((at for mark in ("\n", " ") if (at := text.rfind(mark, low // 2, low) + 1)), low)
        yield text[:end]
        text = text[end:]
    yield text


def _written(group: list[Piece], paged: bool) -> str:
    lines, page = [], 0
    for piece in group:
        if paged and piece.page != page:
            lines.append(f"[page {piece.page}]\n{piece.text}")
            page = piece.page
        else:
            lines.append(piece.text)
    return "\n\n".join(lines)
