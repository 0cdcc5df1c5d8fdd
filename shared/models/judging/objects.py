"""The JSON object in what a model wrote, and what of it is complete where it was cut off."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_core import from_json

CANDIDATES = 8
"""Most places at which an object is tried: prose may hold braces of its own."""

TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\],]|"', re.DOTALL)
"""A whole string, a bracket, a comma, or the beginning of a string without an end. Possessive: it never goes back."""

Content = dict[str, Any]


def ends(text: str, start: int) -> tuple[int, int]:
    """Where the object that begins at `start` ends, -1 where it does not; and its last comma outside of its parts."""
    depth, comma = 0, -1
    for token in TOKEN.finditer(text, start):
        sign = token[0]
        if sign in ("{", "["):
            depth += 1
        elif sign in ("}", "]"):
            depth -= 1
            if depth == 0:
                return token.end(), comma
        elif sign == "," and depth == 1:
            comma = token.start()
        elif sign == '"':
            break
    return -1, comma


def starts(text: str) -> Iterator[int]:
    """Where an object may begin, from the left."""
    at = text.find("{")
    for _ in range(CANDIDATES):
        if at < 0:
            return
        yield at
        end, _ = ends(text, at)
        if end < 0:
            return
        at = text.find("{", end)


def object_in(text: str) -> tuple[Content | None, str, str]:
    """The first object that can be read, the prose around it, and, where there is none, why not."""
    problem = ""
    for start in starts(text):
        end, _ = ends(text, start)
        if end < 0:
            continue
        try:
            # pydantic's parser and not json's: it bounds the depth, and a model can write ten thousand brackets.
            content = from_json(text[start:end], allow_inf_nan=False)
        except ValueError as error:
            problem = problem or str(error)
            continue
        if isinstance(content, dict):
            return content, text[:start] + text[end:], ""
    return None, text, problem


def complete_part(text: str) -> Content | None:
    """The fields that are complete in an object without an end; None where it is wrong in itself, or there is none.

    Only what a comma follows is complete: `"total": 12` may have been on its way to 1200.
    """
    start = text.find("{")
    end, comma = ends(text, start) if start >= 0 else (-1, -1)
    if start < 0 or end >= 0:
        return None
    try:
        # Closed at the last comma, wherever that stands, it must be right: else it was not cut off but malformed.
        from_json(closed(text[start:]), allow_inf_nan=False)
        from_json(text[start:], allow_partial=True)
        content = from_json(text[start:comma] + "}") if comma > 0 else {}
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def closed(text: str) -> str:
    """The text up to its last comma, with every bracket closed that is open there; an empty object without a comma."""
    last = -1
    for token in TOKEN.finditer(text):
        if token[0] == '"':  # what follows is inside of a text without an end
            break
        last = token.start() if token[0] == "," else last
    if last < 0:
        return "{}"
    opened: list[str] = []
    for token in TOKEN.finditer(text, 0, last):
        if token[0] in ("{", "["):
            opened.append("}" if token[0] == "{" else "]")
        elif token[0] in ("}", "]") and opened:
            opened.pop()
    return text[:last] + "".join(reversed(opened))


def without_last(content: Mapping[str, Any]) -> Content:
    """The object without its last field: where a provider closes what was cut off, that one was being written."""
    return dict(list(content.items())[:-1])
