"""One answer out of those about the parts of a document, for each kind of question. Pure.

A part of which nothing is taken says little about the whole: its doubt does not count where others knew.
"""

from collections.abc import Sequence

from services.analyze.answers import MOST_FIELDS, Answer, Extraction, GenericFields, Summarized


def merged_fields(parts: Sequence[Extraction]) -> Extraction:
    """Every field as the first part that has it gives it: parts overlap, and what opens a document mostly names it."""
    first = parts[0]
    givers = {name: part for part in reversed(parts) for name in part.found()}
    confidence = min(part.confidence for part in givers.values() or parts)
    if isinstance(first, GenericFields):
        named = {entry.name: entry for part in reversed(parts) for entry in reversed(getattr(part, "fields", []))}
        entries = [entry for entry in reversed(named.values()) if entry.name and entry.value]
        return GenericFields(fields=entries[:MOST_FIELDS], confidence=confidence)
    found = {name: part.found()[name] for name, part in givers.items()}
    return first.model_copy(update={**found, "confidence": confidence})


def merged_summaries(parts: Sequence[Summarized]) -> Summarized:
    """The summaries of the parts, one after the other."""
    told = [part for part in parts if part.summary]
    confidence = min(part.confidence for part in told or parts)
    return Summarized(summary=" ".join(part.summary for part in told), confidence=confidence)


def merged_answers(parts: Sequence[Answer]) -> Answer:
    """The answer of the part that is surest of having one."""
    return max(parts, key=lambda part: (bool(part.answer), part.confidence))
