"""Which dead letters are meant: by what failed, where, when, whose, and by an expression on the event itself."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any

import jmespath
from jmespath.exceptions import ArityError, JMESPathError, JMESPathTypeError, ParseError, UnknownFunctionError

from shared.core.errors import Failed, Misconfigured
from shared.kafka.dead_letters import Letter
from shared.pipelines.ended import document_type
from shared.ports import Codec


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dead letters are meant; every part that is given must hold."""

    ids: frozenset[str] = frozenset()
    """Just these."""
    failure: str = ""
    """Failure class."""
    stage: str = ""
    """Stage they failed in."""
    document: str = ""
    """Document id."""
    causes: frozenset[str] = frozenset()
    """Fingerprints of causes, any of them."""
    document_type: str = ""
    """Type that classify found."""
    tenant: str = ""
    """On whose account."""
    since: datetime | None = None
    """Failed then or later."""
    until: datetime | None = None
    """Failed before then."""
    attempts: int = 0
    """At least so many attempts."""
    asked: str = ""
    """Model that was asked first."""
    prompted: str = ""
    """Prompt it was asked with first."""
    where: str = ""
    """JMESPath expression that must be true of the event."""

    def takes(self, letter: Letter, codec: Codec) -> bool:
        """Whether the letter is meant."""
        return (
            (not self.ids or letter.id in self.ids)
            and self.failure in ("", letter.failure)
            and self.stage in ("", letter.stage.name)
            and self.document in ("", letter.document_id)
            and (not self.causes or letter.cause in self.causes)
            and (self.since is None or letter.failed_at >= self.since)
            and (self.until is None or letter.failed_at < self.until)
            and letter.attempts >= self.attempts
            and self._was_asked(letter)
            and self._fits(letter, codec)
        )

    def _was_asked(self, letter: Letter) -> bool:
        """What the first request that it tells of says of its model."""
        if not (self.asked or self.prompted):
            return True
        tries = letter.delivery.history.tries if letter.delivery.history else ()
        first = next((call for one in tries[:1] for call in one.calls), None)
        return first is not None and self.asked in ("", first.model) and self.prompted in ("", first.prompt)

    def _fits(self, letter: Letter, codec: Codec) -> bool:
        """What only the decoded event tells."""
        if not (self.document_type or self.tenant or self.where):
            return True
        event = letter.event(codec)
        return (
            self.document_type in ("", document_type(event))
            and self.tenant in ("", getattr(event, "tenant", ""))
            and (not self.where or holds(self.where, event))
        )

    @property
    def said(self) -> dict[str, Any]:
        """What was asked for, as JSON."""
        given = {name: value for name, value in asdict(self).items() if value}
        return {name: sorted(value) if isinstance(value, frozenset) else _plain(value) for name, value in given.items()}


def name_of(said: dict[str, Any]) -> str:
    """The name of what was asked for: the same options have the same."""
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def compiled(expression: str) -> Any:
    """The expression, ready. Raises Misconfigured that points at the place where it goes wrong."""
    try:
        ready = jmespath.compile(expression)
        ready.search({})
    except (UnknownFunctionError, ArityError) as error:
        raise Misconfigured(f"--where: {error}\n  {expression}") from error
    except ParseError as error:
        place = min(max(error.lex_position or 0, 0), len(expression))
        rest = expression[place : place + 20]
        what = f"{rest!r} is not expected" if rest else "it ends too early"
        raise Misconfigured(f"--where: {what}\n  {expression}\n  {' ' * place}^ here") from error
    except JMESPathTypeError:
        pass  # of an empty event it cannot be computed; of a real one it may well be
    except RecursionError as error:
        raise Misconfigured("--where: the expression is nested too deeply: say it in fewer brackets") from error
    return ready


@cache
def _expression(text: str) -> Any:
    return compiled(text)


def holds(expression: str, event: Any) -> bool:
    """Whether it is true of the event, by JMESPath's rule: not empty, false or null. Nothing is true of no event."""
    if event is None or isinstance(event, Failed):
        return False
    try:
        found = _expression(expression).search(searchable(event.to_avro(), _sized))
    except JMESPathError:
        return False
    return found is not None and found is not False and found not in ("", [], {})


def _counted(data: bytes) -> str:
    return f"<{len(data):,} bytes>"


def _sized(data: bytes) -> dict[str, int]:
    """Bytes as an expression finds them: with a `size`, as a reference to bytes kept elsewhere has it."""
    return {"size": len(data)}


def searchable(value: Any, of_bytes: Callable[[bytes], Any] = _counted) -> Any:
    """An event as JSON has it: times as text, bytes as their number."""
    match value:
        case bytes():
            return of_bytes(value)
        case datetime():
            return value.isoformat()
        case dict():
            return {name: searchable(inner, of_bytes) for name, inner in value.items()}
        case list() | tuple():
            return [searchable(inner, of_bytes) for inner in value]
        case _:
            return value


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
