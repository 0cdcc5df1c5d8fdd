"""What has come of an answer so far: the state that both wires fill, event by event, and nothing that they decide."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Arriving:
    """An answer while it arrives."""

    pieces: dict[tuple[int, str], list[str]] = field(default_factory=dict)
    """Text by block number and kind of block, in the wire's words."""
    finish: str = ""
    """Why the model stopped, in the wire's words; empty until it has."""
    usage: dict[str, Any] = field(default_factory=dict)
    """What the provider counted, as far as it has said."""
    heard: int = 0
    """Characters that the model wrote, its thoughts included: they are billed too."""
    error: Mapping[str, Any] | None = None
    """What the provider said went wrong in the middle."""
    ended: bool = False
    """The terminator has come."""
    model: str = ""
    """Model that answers, as the provider says; empty until it has."""

    def add(self, block: int, kind: str, piece: str) -> None:
        """A piece of the answer. Raises TypeError where it is nothing of the kind: it came from outside."""
        if not (isinstance(block, int) and isinstance(piece, str)):
            raise TypeError(f"block {block!r}: {piece!r} is no text")
        self.pieces.setdefault((block, kind), []).append(piece)
        self.heard += len(piece)

    def stop(self, reason: Any) -> None:
        """Why the model stopped; null while it goes on. Raises TypeError where it is no word."""
        if not isinstance(reason, str | None):
            raise TypeError(f"{reason!r} is no reason to stop")
        self.finish = reason or self.finish

    def name(self, model: Any) -> None:
        """Who answers: the first word counts, and what is no word is passed over, for nothing depends on it."""
        if isinstance(model, str):
            self.model = self.model or model

    def fail(self, error: Any) -> None:
        """The provider gave up."""
        self.error = error if isinstance(error, Mapping) else {"message": error}

    def tell(self, usage: Any) -> None:
        """Figures of the provider: a later one stands for an earlier one, and null for none."""
        if isinstance(usage, Mapping):
            self.usage |= {name: count for name, count in usage.items() if isinstance(count, int | Mapping)}

    def text(self, block: int, kind: str) -> str:
        """A block so far."""
        return "".join(self.pieces.get((block, kind), ()))
