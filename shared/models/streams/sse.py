"""Server-sent events out of bytes that arrive in pieces of any size: the framing of both providers' streams.

The library for it (httpx-sse) knows no limit and no fault: a line that never ends fills the memory between two events,
and broken UTF-8 becomes a question mark inside an answer. Data stays bytes here, so that the JSON parser judges it, and
whoever feeds the bytes can count them.
"""

from dataclasses import dataclass

BOM = b"\xef\xbb\xbf"
"""May stand before the first line."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event."""

    data: bytes
    """Its data lines, joined by line feeds."""
    name: str = ""
    """Its type; empty where the stream gives none."""


class EventReader:
    """Takes bytes, gives the events that are complete. An event counts only with the empty line that ends it."""

    def __init__(self) -> None:
        self._line: list[bytes] = []
        self._data: list[bytes] = []
        self._name = ""
        self._after_return = False
        self._first = True

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that these bytes complete."""
        if not chunk:
            return []
        # A line may end in CR, LF or both. A CR at the end of a chunk ends its line now: what follows may be far off.
        halved = self._after_return and chunk.startswith(b"\n")
        self._after_return = chunk.endswith(b"\r")
        chunk = chunk[1:] if halved else chunk
        *whole, rest = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        events = []
        for end in whole:
            # Joined only here: adding to one long line piece by piece would copy it each time.
            self._line.append(end)
            line, self._line = b"".join(self._line), []
            if (event := self._take(line)) is not None:
                events.append(event)
        if rest:
            self._line.append(rest)
        return events

    def _take(self, line: bytes) -> Event | None:
        if self._first:
            line, self._first = line.removeprefix(BOM), False
        if not line:
            data, name = self._data, self._name
            self._data, self._name = [], ""
            return Event(b"\n".join(data), name) if data else None
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
        elif field == b"event":
            self._name = value.decode("utf-8", "replace")
        return None
