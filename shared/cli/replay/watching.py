"""Watches what becomes of letters that have re-entered: they end, wait for a person, or fail again."""

from collections.abc import Mapping
from typing import Any

from shared.cli.session import Session
from shared.cli.waiting import doors_out, end_of
from shared.core.delivery import Delivery
from shared.core.pacing import Count
from shared.kafka.reading import Reader, Tail
from shared.kafka.whereabouts import DEAD


def doors_now(session: Session, reader: Reader) -> dict[str, int]:
    """topic/partition to its end: ends are counted from there on."""
    return {f"{topic}/{number}": span.end for (topic, number), span in reader.spans(doors_out(session)).items()}


class Watch:
    """The letters that are under way, and how those ended that no longer are; use it as a context manager."""

    def __init__(self, session: Session, begin: Mapping[str, int]) -> None:
        starts = {(topic, int(number)): at for (topic, _, number), at in _parted(begin)}
        self._session, self._starts = session, starts
        self._tail = Tail(session.kafka, starts)
        self._of_document: dict[str, set[str]] = {}
        self._at_place: dict[str, str] = {}
        self._ended: dict[str, str] = {}
        self._sent = 0

    def __enter__(self) -> "Watch":
        self._tail.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        self._tail.__exit__(*raised)

    def sent(self, letter_id: str, place: str, document_id: str) -> None:
        """The letter has re-entered."""
        self._sent += 1
        self._at_place[place] = letter_id
        if document_id:
            self._of_document.setdefault(document_id, set()).add(letter_id)

    def look(self, seconds: float) -> None:
        """Note what comes within the time."""
        for record in self._tail.poll(seconds):
            if isinstance(record, Delivery):
                self._note(record)

    def look_to_the_end(self) -> None:
        """Note everything that is there now."""
        open_ends = set(self._starts)
        while open_ends:
            for found in self._tail.poll(0.2):
                if isinstance(found, Delivery):
                    self._note(found)
                else:
                    open_ends.discard(found)

    @property
    def states(self) -> dict[str, str]:
        """Letter to how it ended."""
        return dict(self._ended)

    def ended(self, letter_id: str) -> bool:
        """Whether the letter's document has come to an end since, or has failed again."""
        return letter_id in self._ended

    @property
    def count(self) -> Count:
        """How it stands."""
        return Count(self._sent, len(self._ended), sum(state == DEAD for state in self._ended.values()))

    def _note(self, record: Delivery) -> None:
        # A letter that failed again names the one it was: of two letters of one document only that one has failed.
        again = self._at_place.get(str(record.reentry.letter)) if record.reentry else None
        end = end_of(self._session, record)
        letters = {again} if again is not None else self._of_document.get(end.document_id, set())
        for letter_id in letters:
            # A document that was stored and then failed again has failed; one that failed stays so.
            if self._ended.get(letter_id) != DEAD:
                self._ended[letter_id] = end.state


def _parted(begin: Mapping[str, int]) -> list[tuple[Any, int]]:
    return [(name.rpartition("/"), at) for name, at in begin.items()]
