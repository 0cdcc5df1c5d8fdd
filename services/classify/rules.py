"""What kind of document a text is, by evidence that can be named.

Clues add up; confidence grows with the sum and falls where a second type comes close. The text comes from files that
strangers send, so only its beginning and end are read.
"""

import math
import re
from dataclasses import dataclass

from services.classify.clues import CLUES, MEDIA, NAME_WEIGHT, NAMES, Clue
from shared.pipelines.document_types import DocumentType

BEGINNING, END = 20_000, 4_000
"""Characters that are read. The end is where letters close and contracts are signed."""
ENOUGH = 1.5
"""The least sum of weights by which a type is named at all."""
SCALE = 2.2
"""The sum at which one type, alone, is believed with 63 %; twice as much gives 86 %."""
CLEAR = 0.8
"""The best type's share of the best two sums from which on the second casts no doubt."""
PLAIN = str.maketrans({"\r": "\n", "\f": "\n", "\u00a0": " "})
"""A new page begins a new line."""
CERTAIN, UNKNOWN = 0.98, 0.2
"""Most that rules may claim, and what is claimed where they know nothing."""


@dataclass(frozen=True, slots=True)
class Classification:
    """What a document is, how sure that is, and why."""

    document_type: DocumentType
    confidence: float
    """0 to 1; 0.8 and above is clear, below 0.6 doubtful."""
    reason: str
    """A sentence that names the evidence and its lines."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A clue that was found."""

    name: str
    weight: float
    quote: str = ""
    line: int = 0
    """Counted from 1; 0 behind the beginning, where lines are not counted."""

    def __str__(self) -> str:
        place = f"in line {self.line}" if self.line else "near the end"
        return f"{self.name} ('{self.quote}' {place})" if self.quote else self.name


def classify(text: str, filename: str, media_type: str) -> Classification:
    """The type with the most evidence in the text, or `other` where there is too little for any."""
    read = excerpt(text)
    found = {kind: [*findings(CLUES[kind], read), *outside(kind, filename, media_type)] for kind in CLUES}
    sums = {kind: sum(finding.weight for finding in found[kind]) for kind in CLUES}
    best, second = sorted(sums, key=lambda kind: sums[kind], reverse=True)[:2]
    if sums[best] < ENOUGH:
        hint = f" Only {listed(found[best])} hints at {best}." if found[best] else ""
        return Classification(DocumentType.OTHER, UNKNOWN, f"Nothing in it is typical enough of a known type.{hint}")
    reason = f"Taken as {best} for {listed(found[best])}."
    if sums[best] / (sums[best] + sums[second]) < CLEAR:
        reason += f" Against it, {listed(found[second])} would suit {second}."
    return Classification(best, confidence(sums[best], sums[second]), reason)


def confidence(best: float, second: float) -> float:
    """How sure the best type is: by its own sum, halved where the second has as much."""
    strength = 1 - math.exp(-best / SCALE)
    share = best / (best + second)
    doubt = 0.5 + 0.5 * min(1.0, (share - 0.5) / (CLEAR - 0.5))
    return round(min(CERTAIN, strength * doubt), 2)


def excerpt(text: str) -> str:
    """The parts that are read, with plain spaces and line ends; what stands between is dropped."""
    text = text.replace("\r\n", "\n").translate(PLAIN)
    return text if len(text) <= BEGINNING + END else f"{text[:BEGINNING]}\n{text[-END:]}"


def findings(clues: tuple[Clue, ...], text: str) -> list[Finding]:
    """The clues that occur in the text."""
    found = []
    for item in clues:
        first: re.Match[str] | None = None
        different: set[str] = set()
        for match in item.pattern.finditer(text):
            if item.within and text.count("\n", 0, match.start()) >= item.within:
                break
            first = first or match
            different.add(match.group().strip().lower())
            if len(different) >= max(item.least, item.most):
                break
        if first and len(different) >= item.least:
            line = text.count("\n", 0, first.start()) + 1 if first.start() < BEGINNING else 0
            weight = item.weight * min(item.most, len(different))
            found.append(Finding(item.name, weight, " ".join(first.group().split())[:40], line))
    return found


def outside(kind: DocumentType, filename: str, media_type: str) -> list[Finding]:
    """Evidence that is not in the text."""
    found = [Finding(f"the file name {filename[:60]}", NAME_WEIGHT)] if NAMES[kind].search(filename) else []
    typical, weight = MEDIA.get(media_type.partition(";")[0].strip().lower(), (None, 0.0))
    return [*found, Finding(f"its media type {media_type[:60]}", weight)] if typical is kind else found


def listed(found: list[Finding]) -> str:
    """The three strongest findings as an enumeration."""
    names = [str(finding) for finding in sorted(found, key=lambda finding: -finding.weight)[:3]]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
