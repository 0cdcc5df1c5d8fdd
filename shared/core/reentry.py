"""What a replayed record carries: its dead letter, how often it was replayed, and what is to be different this time.

These headers stay with the record through retry, parked and dead-letter topics of the stage it re-entered, so that a
second failure is known for what it is; none of them goes on to the next stage. What is to be different is obeyed
where only we write: of a record of the ingest topic it is not read, or whoever hands documents in could choose a model.
"""

from dataclasses import dataclass

from shared.core.event import Position
from shared.core.headers import RECEIPT, REPLAYED, REPLAYS, USE_MODEL, USE_PROMPT, Headers, header


@dataclass(frozen=True, slots=True)
class Reentry:
    """One re-entry of a record."""

    letter: Position
    """The dead letter it was replayed from."""
    receipt: str = ""
    """The plan under which it was; empty where an earlier version replayed it."""
    number: int = 1
    """How often this record has been replayed at this stage, this time included."""
    model: str = ""
    """The one model to be asked instead of the stage's chains; empty: the chains."""
    prompt: str = ""
    """The prompt to be used, as `<task>@<version>`; empty: the one in use."""

    def to_headers(self) -> Headers:
        """As headers."""
        said = (
            (REPLAYED, str(self.letter)),
            (RECEIPT, self.receipt),
            (REPLAYS, str(self.number)),
            (USE_MODEL, self.model),
            (USE_PROMPT, self.prompt),
        )
        return tuple((name, value.encode("utf-8", "backslashreplace")) for name, value in said if value)


def reentry_of(headers: Headers) -> Reentry | None:
    """Read it back; None for a record that was never replayed, or where nobody of us wrote the headers."""
    try:
        letter = Position.parse(header(headers, REPLAYED))
        number = int(header(headers, REPLAYS) or 1)
    except ValueError:
        return None
    model, prompt = header(headers, USE_MODEL), header(headers, USE_PROMPT)
    return Reentry(letter, header(headers, RECEIPT), max(number, 1), model, prompt)
