"""Sentences of a text, whatever a page's width or a table made of its lines."""

import re
from collections.abc import Iterator

READ = 60_000
"""Characters that are read, as a model has a context window."""
PLAIN = str.maketrans({"\r": "\n", "\f": "\n", "\u00a0": " "})
"""A new page begins a new line."""


def readable(text: str) -> str:
    """The beginning of the text with plain line ends, and no run of blanks that would keep a pattern busy."""
    plain = text[:READ].replace("\r\n", "\n").translate(PLAIN)
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]{3,}", "  ", plain))


def paragraphs(text: str) -> Iterator[str]:
    """Lines that belong together, joined.

    A line goes on where it ends in a colon, or is long and ends no sentence, or the next begins with a small letter:
    pages have no empty lines between paragraphs, and headings no full stop.
    """
    gathered: list[str] = []
    for line in (part.strip(" \t-*•=") for part in readable(text).split("\n")):
        last = gathered[-1] if gathered else ""
        goes_on = last.endswith(":") or line[:1].islower() or (len(last) > 55 and last[-1] not in ".!?")
        if gathered and not (line and goes_on):
            yield " ".join(gathered)
            gathered = []
        if line:
            gathered.append(line)
    if gathered:
        yield " ".join(gathered)


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text, each as it occurs there but for its line breaks.

    A short number with a dot ends none: it is an ordinal, as in "2. April" or "3. Liability".
    """
    for paragraph in paragraphs(text):
        parts = (
            part.strip() for part in re.split(r"(?<=[.!?])(?<!\b\d\.)(?<!\b\d\d\.)\s+(?=[\"'(]?[^\W\d_a-z])", paragraph)
        )
        yield from (part for part in parts if part)
