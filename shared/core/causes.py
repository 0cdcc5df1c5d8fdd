"""What failures have in common: one fingerprint for all dead letters of one cause, whatever document they speak of.

    extract: corrupt: page 7 of 'smith.pdf' cannot be read (0x1f at 8812)
    extract: corrupt: page # of * cannot be read (# at #)                    -> 4f1c09d2a7be

A cause is class, stage and message without what differs from document to document. Class and stage alone would be too
coarse: one class can have a cause that is mended and one that is not, and only one of them is to be replayed.
"""

import hashlib
import re

DIGITS = 12
"""Hex digits of a fingerprint: short enough to type, long enough for a million causes."""
LONGEST = 400
"""Characters of a message that count: what comes after is quotation more often than cause."""

TAKEN_OUT = tuple(
    (re.compile(pattern), stands)
    for pattern, stands in (
        (r"https?://\S+|[a-z0-9]+://\S+", "*"),
        (r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b", "*"),
        (r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?", "#"),
        (r"\"[^\"\n]*\"|“[^”\n]*”|(?<!\w)'[^'\n]*'(?!\w)|`[^`\n]*`", "*"),
        (r"\b0x[0-9a-fA-F]+\b", "#"),
        (r"\b(?:[0-9a-fA-F]{2} ){3,}[0-9a-fA-F]{2}\b", "#"),
        # Hex by itself only where a digit is in it: `deface` is a word.
        (r"\b(?=[0-9a-fA-F]*\d)(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{6,}\b", "#"),
        (r"\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]+\b", "*"),
        (r"[-+]?\d+(?:[.,:/]\d+)*(?:e[-+]?\d+)?", "#"),
        (r"\s+", " "),
    )
)
"""What differs from document to document, in the order in which it is taken out, and what stands in its place."""


def pattern_of(message: str) -> str:
    """The message without numbers, dates, quoted values, ids, addresses and hex."""
    text = message[:LONGEST]
    for pattern, stands in TAKEN_OUT:
        text = pattern.sub(stands, text)
    return text.strip()


def fingerprint_of(failure: str, stage: str, message: str) -> str:
    """The cause of a failure: the same for all that failed in this way in this stage."""
    said = "\n".join((failure, stage, pattern_of(message)))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]
