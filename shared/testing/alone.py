"""Runs one handler on one event, as the runtime would: errors become outcomes by the same rules."""

from collections.abc import Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from shared.core.context import Answer, Blobs, Models, Outlook, Prompt
from shared.core.event import Event
from shared.core.graph import tenant_of
from shared.core.ledger import Scope
from shared.core.outcome import Outcome
from shared.core.results import Results
from shared.core.stage import Handler, Style
from shared.memory.blobs import MemoryBlobs
from shared.memory.ledger import MemoryLedger
from shared.memory.results import MemoryResults
from shared.ports import Ledger
from shared.runtime.flow.layers import Guard
from shared.runtime.world import HandlerContext, World
from shared.settings import own_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The world as a handler is to see it; what is not given is in memory."""

    blobs: Blobs = field(default_factory=MemoryBlobs)
    """Large files."""
    models: Models | None = None
    """Model chains; `answering` makes one of a function."""
    results: Results = field(default_factory=MemoryResults)
    """The table of results."""
    ledger: Ledger = field(default_factory=MemoryLedger)
    """The call ledger: what `ctx.once` made is found again by whoever is given the same one."""
    settings: Any = None
    """The handler's own settings; None: its class with what the environment says."""
    resource: Any = None
    """What the handler's `opens` would open; None: it is opened."""


@dataclass(frozen=True, slots=True)
class Answering:
    """`Models` that a function plays."""

    play: Callable[[str, Prompt], Any]

    def outlook(self, chain: str, prompt: Prompt, schema: type[Any], *, besides: Collection[str] = ()) -> Outlook:
        """No chain has models that could be told apart: a question always fits, and there is nobody else to ask."""
        return Outlook()

    async def ask(self, chain: str, prompt: Prompt, schema: type[Any], *, besides: Collection[str] = ()) -> Answer[Any]:
        """The function's answer: a value of the schema, or what the schema can be made of."""
        said = self.play(chain, prompt)
        return said if isinstance(said, Answer) else Answer(said if isinstance(said, schema) else schema(**said), ())


def answering(play: Callable[[str, Prompt], Any]) -> Models:
    """Models that answer what the function gives for a chain and a prompt; it may raise what models raise."""
    return Answering(play)


async def run(
    handler: Handler, event: Event, *, ports: Ports | None = None, now: datetime | None = None, attempt: int = 1
) -> Outcome[Any]:
    """The outcome of one event. Raises Misconfigured, which is nobody's outcome."""
    async with AsyncExitStack() as stack:
        world = await open_world(stack, handler, ports or Ports())
        scope = Scope("alone", handler.stage.name, tenant_of(event), event.document_id, "alone")
        context = HandlerContext(now or datetime.now(UTC), attempt, world, scope, content_of(event))
        return await call(handler, event, context)


def content_of(event: Event) -> bytes:
    """What stands for the record's bytes, which nobody has encoded here."""
    return repr(event).encode("utf-8", "surrogatepass")


async def open_world(stack: AsyncExitStack, handler: Handler, ports: Ports) -> World:
    """What the handler is handed; the stack closes it."""
    settings = ports.settings
    if settings is None and handler.settings is not None:
        settings = own_settings(handler.settings, handler.stage.name)
    resource = ports.resource
    if resource is None and handler.opens is not None:
        resource = await stack.enter_async_context(handler.opens(settings))
    resources = {type(given): given for given in (settings, resource) if given is not None}
    given_models = ports.models
    models = None if given_models is None else lambda scope, model="": given_models
    # Who runs a batch alone is to learn there that a batch has no steps.
    ledger = None if handler.style is Style.BATCH else ports.ledger
    return World(ports.blobs, models, ports.results, resources, None, ledger)


async def call(handler: Handler, event: Event, context: HandlerContext) -> Outcome[Any]:
    """Call it in whichever way it is written."""
    with Guard() as guard:
        match handler.style:
            case Style.CHEAP:
                guard.outcome = handler.call(event, context)
            case Style.SLOW:
                guard.outcome = await handler.call(event, context)
            case Style.BATCH:
                [guard.outcome] = await handler.call([event], context)
    outcome: Outcome[Any] = guard.outcome
    return outcome
