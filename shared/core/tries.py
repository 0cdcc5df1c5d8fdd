"""The attempts that a dead letter looks back on, each with the model calls it made: a compact header beside the record.

Bounded: what is kept of a failure must never make a dead letter that no topic takes.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from shared.core.context import Call

MOST = 10
"""Attempts kept, the last ones."""
MESSAGE_CHARACTERS = 300
"""Longest message of one attempt, and of one cause."""
BYTES = 16_000
"""Largest header: beyond it the calls of the oldest attempts are left out; the ledger has them all."""
CAUSES = 8
"""Links of a chain of causes that are kept."""


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt that failed."""

    number: int
    """1 at the first."""
    at: datetime
    """When it failed, UTC."""
    failure: str
    """Failure class."""
    message: str
    """What failed, in one sentence."""
    calls: tuple[Call, ...] = ()
    """Model calls it made, as far as its error knew them."""


def tries_to_text(tries: Sequence[Try]) -> str:
    """The last attempts as JSON that fits a header."""
    kept = [_plain(one) for one in tries[-MOST:]]
    text = _dumped(kept)
    for one in kept:
        if len(text) <= BYTES:
            break
        one["calls"] = []
        text = _dumped(kept)
    return text


def tries_of(text: str) -> tuple[Try, ...]:
    """Read them back; none where nobody of us wrote it."""
    try:
        return tuple(_try(said) for said in json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return ()


def causes_to_text(causes: Sequence[str]) -> str:
    """A chain of causes as JSON that fits a header."""
    return _dumped([cause[:MESSAGE_CHARACTERS] for cause in causes[:CAUSES]])


def causes_of(text: str) -> tuple[str, ...]:
    """Read them back; none where nobody of us wrote it."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    return tuple(str(cause) for cause in said) if isinstance(said, list) else ()


def chain_of(error: BaseException) -> tuple[str, ...]:
    """What caused an error, the nearest cause first; the error itself is not in it."""
    found: list[str] = []
    seen = {id(error)}
    before = _cause(error)
    while before is not None and id(before) not in seen and len(found) < CAUSES:
        seen.add(id(before))
        found.append(f"{type(before).__name__}: {before}"[:MESSAGE_CHARACTERS])
        before = _cause(before)
    return tuple(found)


def _cause(error: BaseException) -> BaseException | None:
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _plain(one: Try) -> dict[str, Any]:
    return {
        "number": one.number,
        "at": one.at.isoformat(timespec="milliseconds"),
        "failure": one.failure,
        "message": one.message[:MESSAGE_CHARACTERS],
        "calls": [asdict(call) for call in one.calls],
    }


def _try(said: Any) -> Try:
    at = datetime.fromisoformat(said["at"]).astimezone(UTC)
    calls = tuple(Call(**call) for call in said["calls"])
    return Try(int(said["number"]), at, str(said["failure"]), str(said["message"]), calls)


def _dumped(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
