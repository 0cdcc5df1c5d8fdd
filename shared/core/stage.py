"""A stage as a value, and the decorator that binds a handler to it.

    EXTRACT = stage("extract", takes=DocumentSubmitted, gives=TextExtracted)

    @EXTRACT
    async def extract(document: DocumentSubmitted, ctx: Context) -> Outcome[TextExtracted]: ...

A type checker rejects, at the decorator, a handler that takes or gives another event. A handler may be `async`
(slow work, one at a time per document, many documents at once), plain (cheap work, run in line), or take a whole batch
(`@STORE.batch`).
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Generic, TypeVar, overload

from shared.core.context import Context
from shared.core.errors import Misconfigured
from shared.core.event import Event
from shared.core.outcome import Outcome

T = TypeVar("T")
G = TypeVar("G")
A = TypeVar("A")
B = TypeVar("B")

NAME = re.compile(r"[a-z][a-z0-9_]*")
DATABASE = "database"
"""What a stage needs that writes results; every other need is the name of a model chain."""
MODEL = "model:"
"""Begins the name of every model as a dependency."""
RESERVED = {"ingest", "dlq", "review", "results", "retry", "parked", "cancelled"}
"""Words that stand in topic names beside those of stages."""


class Style(Enum):
    """How a handler is run."""

    SLOW = "async, one event"
    CHEAP = "plain, one event"
    BATCH = "async, a batch"


Opener = Callable[[Any], AbstractAsyncContextManager[Any]]
"""Given the handler's settings (or None), opens what it needs for its life: a pool, a session."""


@dataclass(frozen=True, slots=True)
class Handler:
    """A stage's code, and how to run it."""

    stage: "Stage[Any, Any]"
    """The stage it serves."""
    call: Callable[..., Any]
    """`(event, ctx) -> outcome`, or `(events, ctx) -> outcomes` for a batch."""
    style: Style
    """How it is run."""
    settings: type[Any] | None = None
    """Class of its own settings: the table of the stage's name in `penstock.toml`."""
    opens: Opener | None = None
    """What is opened before the first event and closed after the last."""


@dataclass(frozen=True, slots=True)
class Stage(Generic[T, G]):
    """One step of a pipeline: one service, one consumer group. Takes events of some types and gives others."""

    name: str
    """Stable name: of the service, the topics, the group."""
    takes: tuple[type[Event], ...]
    """Event types it understands, one in most stages."""
    gives: tuple[type[Event], ...]
    """Event types it emits."""
    needs: tuple[str, ...] = ()
    """What has to be there for it to work: `DATABASE`, and the model chains it asks."""

    @property
    def chains(self) -> tuple[str, ...]:
        """The model chains it asks."""
        return tuple(need for need in self.needs if need != DATABASE)

    def __call__(
        self, call: Callable[[T, Context], Awaitable[Outcome[G]]] | Callable[[T, Context], Outcome[G]]
    ) -> Handler:
        """Bind a handler that takes one event."""
        return Handler(self, call, Style.SLOW if inspect.iscoroutinefunction(call) else Style.CHEAP)

    def handler(
        self, *, settings: type[Any] | None = None, opens: Opener | None = None
    ) -> Callable[[Callable[[T, Context], Any]], Handler]:
        """Bind a handler that has settings or a resource of its own: `@EXTRACT.handler(settings=…, opens=…)`."""
        return lambda call: replace(self(call), settings=settings, opens=opens)

    def batch(self, call: Callable[[Sequence[T], Context], Awaitable[Sequence[Outcome[G]]]]) -> Handler:
        """Bind a handler that takes a whole batch and gives an outcome for each event, in the same order."""
        return Handler(self, call, Style.BATCH)

    def lives_by(self, dependency: str) -> bool:
        """Whether nothing of the stage goes on without that dependency: it needs just one thing, and this is it."""
        if len(self.needs) != 1:
            return False
        return dependency == self.needs[0] or (self.needs[0] != DATABASE and dependency.startswith(MODEL))

    def __repr__(self) -> str:
        return f"stage {self.name}"


@overload
def stage(name: str, *, takes: type[T], gives: type[G], needs: tuple[str, ...] = ()) -> Stage[T, G]: ...
@overload
def stage(
    name: str, *, takes: tuple[type[A], type[B]], gives: type[G], needs: tuple[str, ...] = ()
) -> Stage[A | B, G]: ...
def stage(name: str, *, takes: Any, gives: Any, needs: tuple[str, ...] = ()) -> Stage[Any, Any]:
    """Define a stage. Raises Misconfigured where the name cannot be a topic's, or is taken by the topics' own words."""
    if not NAME.fullmatch(name) or name in RESERVED:
        raise Misconfigured(
            f"stage {name!r}: a name is lower-case letters, digits and _, and none of {', '.join(sorted(RESERVED))}"
        )
    return Stage(name, takes if isinstance(takes, tuple) else (takes,), (gives,), needs)
