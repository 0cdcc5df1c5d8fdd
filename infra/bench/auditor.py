"""What became of every document and of every call, from what was published, what came out and what was noted. Pure.

It shares no code with what it audits. A call is named by its document and its number among the document's records.
"""

from collections import Counter, defaultdict
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
    """Calls of a process that it had begun and not brought to an end when it was killed."""
    own = [note for note in notes if note.process == kill.process and note.at <= kill.at]
    return {note.call for note in own if note.kind == BEGIN} - {note.call for note in own if note.kind == END}


def recoveries(notes: Sequence[Note], kills: Sequence[Kill], partitions: Mapping[str, int]) -> list[float]:
    """Seconds from a kill to the next document that another process brought to an end, for each of its partitions.

    A partition belongs to who last began a call of it. One of which nothing was left to do gives no figure; one whose
    next owner was killed too, before it finished anything, counts from the first kill.
    """
    begun: dict[int, list[Note]] = defaultdict(list)
    ended: dict[int, list[Note]] = defaultdict(list)
    for note in notes:
        if note.kind in (BEGIN, END):
            (begun if note.kind == BEGIN else ended)[partitions[note.document]].append(note)
    found = []
    for kill in kills:
        for partition, calls in begun.items():
            before = [note for note in calls if note.at <= kill.at]
            if before and before[-1].process == kill.process:
                after = [n.at for n in ended[partition] if n.at > kill.at and n.process != kill.process]
                found += [min(after) - kill.at] if after else []
    return found
