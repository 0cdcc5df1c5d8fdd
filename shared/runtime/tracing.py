"""Tracing as it is opened for the life of a service, and what its models tell."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

from shared.core.context import Prompt
from shared.core.delivery import Delivery
from shared.core.errors import Misconfigured
from shared.core.outcome import Outcome
from shared.core.settle import Place, settle
from shared.models.exchange import Exchange
from shared.models.registry import Model
from shared.observe.metrics import Metrics
from shared.observe.tracing.calls import Asked, Told
from shared.observe.tracing.outbox import Outbox
from shared.observe.tracing.spans import Decision
from shared.observe.tracing.traces import Traces
from shared.ports import Codec
from shared.runtime.process import Life


@dataclass(frozen=True, slots=True)
class Tracing:
    """The traces of a service, and where they go."""

    traces: Traces = field(default_factory=Traces)
    """What the runtime tells."""
    outbox: Outbox | None = None
    """Where spans wait; None where tracing is off."""

    def weaker(self) -> dict[str, str]:
        """What does not hold at the moment, and why."""
        return {"tracing": f"spans are lost: {self.outbox.trouble}"} if self.outbox and self.outbox.trouble else {}


async def open_tracing(stack: AsyncExitStack, life: Life, pipeline: str, metrics: Metrics) -> Tracing:
    """Open it where an endpoint is set; the stack closes it, within a moment. Raises Misconfigured."""
    settings = life.settings.tracing
    if not settings.endpoint:
        return Tracing()
    from shared.observe.tracing.otlp import OtlpExporter  # noqa: PLC0415  lazy: OpenTelemetry takes 0.2 s to import

    service = {
        "service.name": f"{pipeline}.{life.service}",
        "service.namespace": "penstock",
        "service.instance.id": life.instance,
        "service.version": version("penstock"),
    }
    headers = headers_in(settings.headers.get_secret_value())
    outbox = Outbox(
        OtlpExporter(settings.endpoint, headers, settings.timeout, service),
        lambda end, spans: metrics.spans(end).inc(spans),
    )
    outbox.open()
    stack.push_async_callback(asyncio.to_thread, outbox.close)
    return Tracing(Traces(outbox, sample=settings.sample, content=settings.content), outbox)


def unwritable(
    observe: Callable[[Delivery, Outcome[Any], float], None], traces: Traces, place: Place, codec: Codec
) -> Callable[[Delivery, Outcome[Any], float], None]:
    """Hears of records whose decision could not be written: their operation is told anew, as it really ended."""

    def heard(delivery: Delivery, outcome: Outcome[Any], seconds: float) -> None:
        # It could be decoded before, or there would be nothing to encode; to keep all events for this would be dear.
        event = codec.decode(delivery.value or b"", place.stage.takes)
        with traces.named(place.pipeline.name, delivery, event):
            observe(delivery, outcome, seconds)
        if traces.on:
            now = datetime.now(UTC)
            settled = settle(place, delivery, event, outcome, now)
            traces.decided(place, Decision(delivery, event, outcome, settled, now, now))

    return heard


def headers_in(text: str) -> dict[str, str]:
    """Headers by name, out of `name=value,name=value`. Raises Misconfigured."""
    pairs = [entry.partition("=") for entry in text.split(",") if entry.strip()]
    if any(not equals or not name.strip() for name, equals, _ in pairs):
        raise Misconfigured("tracing.headers: each must be name=value, with commas between them")
    return {name.strip(): value.strip() for name, _, value in pairs}


def told(traces: Traces) -> Callable[[Model, Prompt, Exchange[Any]], None]:
    """What hears of the requests that models were sent."""
    return (lambda model, prompt, exchange: _tell(traces, model, prompt, exchange)) if traces.on else (lambda *_: None)


def _tell(traces: Traces, model: Model, prompt: Prompt, exchange: Exchange[Any]) -> None:
    reply = exchange.reply
    traces.asked(
        Asked(
            call=exchange.call(model, prompt),
            ended=time.time_ns(),
            server=urlsplit(model.provider.base_url).hostname or "",
            most=model.max_output,
            sample=prompt.sample,
            estimated=reply.estimated,
            answered_by=reply.answered_by,
            told=Told(prompt.system, prompt.user, reply.text) if traces.content else None,
        )
    )
