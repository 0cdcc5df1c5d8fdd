"""What a replay is expected to cost, from what such documents have cost: averages of the ledger, and nothing cleverer.

    for each document, each stage it has yet to pass, each task asked there:
        share of documents of its type that need the task  x  what the task costs such a document, failed tries included
        less what this document has had answered already: that is not asked again

Where too few documents of a type are known, all types stand for it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

FEW = 5
"""Documents of a type below which all types stand for it."""
ANY = ""
"""The type that stands for all."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one task cost the documents of one type in one stage."""

    stage: str
    """Stage."""
    task: str
    """Task."""
    document_type: str
    """Type; empty where it is not known."""
    documents: int
    """Documents that had it answered."""
    calls: int
    """Answers they needed."""
    cost_usd: float
    """US dollars, all tries together."""


@dataclass(frozen=True, slots=True)
class Paid:
    """The ledger's account of documents that went through."""

    spent: tuple[Spent, ...]
    """What they cost."""
    through: Mapping[tuple[str, str], int]
    """Stage and type to documents that asked anything there."""
    stored: Mapping[str, int]
    """Type to documents that were stored; empty where the pipeline keeps no such table."""


@dataclass(frozen=True, slots=True)
class Due:
    """A document that is to go on."""

    document_id: str
    """The document."""
    document_type: str
    """Its type; empty where it was never classified."""
    stages: tuple[str, ...]
    """Stages it has yet to pass, the first one for certain."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """The expected cost."""

    cost_usd: float
    """US dollars."""
    documents: int
    """Documents it is about."""
    known: int
    """Documents on whose cost it rests."""
    how: str
    """How it was estimated, in a sentence."""


Answered = Mapping[tuple[str, str, str], int]
"""Document, stage and task to answers that are recorded for it: they are found again, and cost nothing."""


class Averages:
    """What is known of each stage and type."""

    def __init__(self, paid: Paid) -> None:
        self._spent: dict[tuple[str, str], list[Spent]] = defaultdict(list)
        self._through: dict[tuple[str, str], int] = defaultdict(int)
        everything: dict[tuple[str, str], list[Spent]] = defaultdict(list)
        for one in paid.spent:
            everything[one.stage, one.task].append(one)
            if one.document_type != ANY:
                self._spent[one.stage, one.document_type].append(one)
        for (stage, task), several in everything.items():
            self._spent[stage, ANY].append(_together(stage, task, several))
        for (stage, kind), count in paid.through.items():
            self._through[stage, ANY] += count
            if kind != ANY:
                self._through[stage, kind] += count
        self._stored = {**paid.stored, ANY: sum(paid.stored.values())}

    def of(self, due: Due, answered: Answered) -> float:
        """US dollars expected for a document."""
        return sum(self._of_stage(due, stage, answered) for stage in due.stages)

    def _of_stage(self, due: Due, stage: str, answered: Answered) -> float:
        kind = due.document_type if self._through[stage, due.document_type] >= FEW else ANY
        through = self._through[stage, kind]
        if not through:
            return 0.0
        # The stage it enters it passes for certain; whether it reaches a later one, others of its type tell.
        stored = self._stored.get(kind, 0)
        reaches = 1.0 if stage == due.stages[0] or not stored else min(1.0, through / stored)
        cost = 0.0
        for one in self._spent[stage, kind]:
            needed = one.calls / one.documents
            left = max(0.0, 1 - answered.get((due.document_id, stage, one.task), 0) / needed)
            cost += one.documents / through * one.cost_usd / one.documents * left
        return reaches * cost


def forecast(paid: Paid, due: Sequence[Due], answered: Answered) -> Forecast:
    """What these documents are expected to cost."""
    averages = Averages(paid)
    documents = {one.document_id: one for one in due}
    cost = sum(averages.of(one, answered) for one in documents.values())
    known = max((sum(n for (at, _), n in paid.through.items() if at == stage) for stage in _stages(due)), default=0)
    how = (
        f"averages by type, stage and task over {known:,} documents in the call ledger, at the prices they were asked"
        " at, less answers already recorded for the same document"
        if known
        else "the call ledger knows no document that has passed these stages: nothing to go by"
    )
    return Forecast(cost, len(documents), known, how)


def _stages(due: Iterable[Due]) -> set[str]:
    return {stage for one in due for stage in one.stages}


def _together(stage: str, task: str, several: Sequence[Spent]) -> Spent:
    return Spent(
        stage,
        task,
        ANY,
        sum(one.documents for one in several),
        sum(one.calls for one in several),
        sum(one.cost_usd for one in several),
    )
