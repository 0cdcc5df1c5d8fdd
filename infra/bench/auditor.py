"""What became of every document and of every call, from what was published, what came out and what was noted. Pure.

It shares no code with what it audits. A call is named by its document and its number among the document's records.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from infra.bench.figures import Figures
from infra.bench.notes import BEGIN, END, RECORDED, Note

Call = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Result:
    """One committed record of the results topic."""

    call: Call
    """What it is the result of."""
    at: float
    """When it was written, monotonic seconds: a little before it was committed."""


@dataclass(frozen=True, slots=True)
class Kill:
    """One `kill -9`."""

    process: int
    """Process id."""
    at: float
    """Monotonic seconds."""


def verdict(published: Iterable[Call], results: Sequence[Result]) -> Figures:
    """Lost, doubled and out of order; results in the order of their partitions' logs."""
    wanted, found = set(published), Counter(result.call for result in results)
    return {
        "documents": len(wanted),
        "lost": len(wanted - found.keys()),
        "doubled": sum(times - 1 for times in found.values()),
        "out_of_order": disorder(result.call for result in results),
    }


def disorder(calls: Iterable[Call]) -> int:
    """How often a document's record came after one with a higher number."""
    reached: dict[str, int] = {}
    wrong = 0
    for document, sequence in calls:
        wrong += sequence < reached.get(document, -1)
        reached[document] = max(sequence, reached.get(document, -1))
    return wrong


def repeats(notes: Sequence[Note], results: Sequence[Result], kills: Sequence[Kill]) -> Figures:
    """Calls that were made more than once, against what kills excuse.

    repeated_after_record   begun although the result was recorded, or even committed, before: never excused
    calls_repeated          all that were made again
    calls_in_flight         begun and not recorded at the kill of their process: each may be made once more
    """
    begun = [note for note in notes if note.kind == BEGIN]
    recorded: dict[Call, float] = {}
    for call, at in [
        *((note.call, note.at) for note in notes if note.kind == RECORDED),
        *((result.call, result.at) for result in results),
    ]:
        recorded[call] = min(at, recorded.get(call, at))
    return {
        "repeated_after_record": sum(note.at > recorded[note.call] for note in begun if note.call in recorded),
        "calls_repeated": len(begun) - len({note.call for note in begun}),
        "calls_in_flight_at_kills": sum(len(in_flight(notes, kill)) for kill in kills),
    }


def in_flight(notes: Sequence[Note], kill: Kill) -> set[Call]:
    """Calls of a process that it had begun, and whose results were not recorded, when it was killed."""
    own = [note for note in notes if note.process == kill.process and note.at <= kill.at]
    return {note.call for note in own if note.kind == BEGIN} - {note.call for note in own if note.kind == RECORDED}


def gone_on(
    notes: Sequence[Note], kill: Kill, partitions: Mapping[str, int], published: Iterable[Call]
) -> dict[int, float | None]:
    """For each partition of a killed process, the seconds until another one brought a document of it to an end.

    None while none has. A partition belongs to who last began a call of it; one of which every call had ended at the
    kill is left out: nothing is left to do there.
    """
    owner: dict[int, int] = {}
    found: dict[int, float | None] = {}
    ended: set[Call] = set()
    for note in notes:
        partition = partitions[note.document]
        if note.at <= kill.at and note.kind == BEGIN:
            owner[partition] = note.process
        elif note.at <= kill.at and note.kind == END:
            ended.add(note.call)
        elif note.kind == END and note.process != kill.process:
            found.setdefault(partition, note.at - kill.at)
    open_ones = {partitions[call[0]] for call in published if call not in ended}
    return {p: found.get(p) for p, process in owner.items() if process == kill.process and p in open_ones}
