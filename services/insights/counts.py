"""The table of panes with an index by time beside it: what is old is found without looking at everything."""

from collections import defaultdict
from collections.abc import Collection, Iterator, MutableMapping

from services.insights.panes import SECONDS, Count, Pane, counted


class Counts:
    """Counts of panes in a table that somebody else keeps, and may fill or empty between two calls."""

    def __init__(self, table: MutableMapping[str, Count], keep: int) -> None:
        self._table, self._keep = table, keep
        self._index: dict[int, dict[int, list[str]]] = defaultdict(dict)
        """Partition to begin to the keys of the panes that begin then."""
        self._size = 0

    def add(self, pane: Pane, offset: int, now: float) -> None:
        """Count the record at this offset, unless it has been counted."""
        panes = self._read_back()[pane.partition]
        if pane.begin not in panes:
            # A clock that goes wrong somewhere must not make all that was ever counted old.
            newest = max((begin for begin in (pane.begin, *panes) if begin <= now + SECONDS), default=pane.begin)
            self._forget(pane.partition, newest - self._keep)
            # What has been let go is not begun anew: a record that is delivered again would be counted again.
            if pane.begin < newest - self._keep:
                return
        key = pane.key
        before = self._table.get(key)
        if (count := counted(before, offset)) is None:
            return
        if before is None:
            panes.setdefault(pane.begin, []).append(key)
            self._size += 1
        self._table[key] = count

    def since(self, begin: int, partitions: Collection[int]) -> Iterator[tuple[str, Count]]:
        """The panes of these partitions that begin then or later."""
        index = self._read_back()
        for partition in partitions:
            for at, keys in index[partition].items():
                if at >= begin:
                    yield from ((key, self._table[key]) for key in keys)

    def _read_back(self) -> dict[int, dict[int, list[str]]]:
        """The index, made anew where the table is no longer what it was: it was read back, or has changed hands."""
        if self._size != len(self._table):
            self._index = defaultdict(dict)
            for key in self._table:
                pane = Pane.of(key)
                self._index[pane.partition].setdefault(pane.begin, []).append(key)
            self._size = len(self._table)
        return self._index

    def _forget(self, partition: int, before: int) -> None:
        """Let old panes go; only while a record of the partition is counted, for its owner alone may delete a key."""
        panes = self._index[partition]
        for begin in [begin for begin in panes if begin < before]:
            for key in panes.pop(begin):
                self._table.pop(key, None)
                self._size -= 1
