"""A refusal inside an answer of the right form, told apart from a document that quotes one.

    every text of the answer is looked at by itself, clause by clause
        a clause that declines, and stands in the document or tells what stands there   -> it is quoted
        a clause that declines, and stands nowhere                                      -> the model declines
    declining texts outweigh those that say something                                   -> the answer is a refusal

A search over the whole answer, or over the whole document, would be wrong: complaint letters, tickets and contracts are
full of refusals, and their good answers quote them.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from shared.core.grounding import folded
from shared.models.judging.shells import is_empty
from shared.models.judging.wordings import ABOUT_ITSELF, COMMON, declining

LONGEST = 600
"""Characters of a refusal. What is longer says something, whatever it begins with."""
BEGINS_WITHIN = 200
"""Characters before which a refusal has declined."""
TOLD_WITHIN = 150
"""Characters of the document to each side of a word, within which it says the same."""
PLACES = 50
"""Most places of a word that are looked at."""

QUOTED = re.compile(r"\"[^\"]*\"|„[^“”\"]*[“”\"]|«[^»]*»|“[^”]*”")
CLAUSE = re.compile(r"[^.!?;:,\n()\[\]]+")
APOSTROPHES = str.maketrans("’‘`´", "''''")
EDGES = " \t\n.,;:!?'\"«»„“”()"


class Material:
    """The document that was asked about, folded only if something in the answer declines."""

    def __init__(self, document: str) -> None:
        self._document = document

    @cached_property
    def _folded(self) -> str:
        return folded(self._document)

    def says(self, clause: str) -> bool:
        """The document has these words, or says in one place what they say."""
        plain = folded(clause.strip(EDGES))
        return plain in self._folded or self._tells(set(re.findall(r"[^\W\d_]{4,}", plain)))

    def _tells(self, words: set[str]) -> bool:
        own = words - COMMON
        if len(own) < 2:
            return False
        rare = max(own, key=len)
        at = self._folded.find(rare)
        for _ in range(PLACES):
            if at < 0:
                return False
            around = self._folded[max(at - TOLD_WITHIN, 0) : at + TOLD_WITHIN]
            if all(word in around for word in words):
                return True
            at = self._folded.find(rare, at + 1)
        return False


def declines(text: str, material: Material) -> bool:
    """The text declines, in words that are the model's own."""
    if len(text) > LONGEST:
        return False
    plain = unicodedata.normalize("NFC", text).translate(APOSTROPHES).lower()
    for found in CLAUSE.finditer(QUOTED.sub(" ", plain)):
        clause = " ".join(found[0].split())
        if found.start() <= BEGINS_WITHIN and declining(clause) and not material.says(clause):
            return True
    return False


def refusal_in(content: Any, prose: str, document: str) -> str:
    """The refusal that an answer is in truth; empty where it is an answer. `prose` stands around the object."""
    material = Material(document)
    refusing: list[str] = []
    saying = 0
    for text in texts(content):
        if declines(text, material):
            refusing.append(text)
        elif not is_empty(text) and text.strip().lower() not in ABOUT_ITSELF:
            saying += 1
    if refusing and saying <= len(refusing):
        return refusing[0]
    return prose.strip() if not saying and declines(prose.strip(), material) else ""


def texts(content: Any) -> Iterator[str]:
    """Every text in a JSON value, but for the labels of labelled values."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for name, part in content.items():
            if not ("value" in content and name in ("name", "label", "key", "field")):
                yield from texts(part)
    elif isinstance(content, list):
        for part in content:
            yield from texts(part)
