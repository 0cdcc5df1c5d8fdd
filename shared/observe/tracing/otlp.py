"""Spans over OTLP: OpenTelemetry's encoder, exporter and resource. Imported only where tracing is on.

Spans are built as OpenTelemetry's finished ones and not begun through its tracer: their ids are derived, some are of
moments long past, and what a tracer keeps in contexts would be lost at every topic.
"""

import logging
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from shared.observe.tracing.spans import Span

PATH = "/v1/traces"
"""Follows the address of a receiver, as OTLP over HTTP has it."""
SAMPLED = TraceFlags(TraceFlags.SAMPLED)
SCOPE = InstrumentationScope("penstock")


class OtlpExporter:
    """Sends spans to one receiver."""

    def __init__(self, endpoint: str, headers: Mapping[str, str], seconds: float, service: Mapping[str, str]) -> None:
        """`seconds`: longest time for one request, its repeats included. `service`: attributes of the process."""
        # It says every failure at least once, in its own words; the outbox says each once, when it begins and ends.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        address = address_of(endpoint)
        self._host = urlsplit(address).netloc.rpartition("@")[2]
        self._resource = Resource.create(dict(service))
        self._exporter = OTLPSpanExporter(
            endpoint=address, headers=dict(headers), timeout=seconds, compression=Compression.Gzip
        )

    def send(self, spans: Sequence[Span]) -> str:
        """See `Exporter.send`."""
        result = self._exporter.export([self.readable(span) for span in spans])
        return "" if result is SpanExportResult.SUCCESS else f"{self._host} does not take them"

    def close(self) -> None:
        """See `Exporter.close`."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def readable(self, span: Span) -> ReadableSpan:
        """As OpenTelemetry's encoder takes it."""
        return ReadableSpan(
            name=span.name,
            context=_context(span.trace, span.id),
            parent=_context(span.trace, span.parent) if span.parent else None,
            resource=self._resource,
            attributes=span.attributes,
            links=[Link(_context(*linked)) for linked in span.links],
            kind=SpanKind[span.kind.value],
            status=Status(StatusCode.ERROR, span.error) if span.error else Status(StatusCode.UNSET),
            start_time=span.start,
            end_time=span.end,
            instrumentation_scope=SCOPE,
        )


def address_of(endpoint: str) -> str:
    """The address that spans are sent to: what was given is a receiver's own, or already this one."""
    base = endpoint.rstrip("/")
    return base if base.endswith(PATH) else base + PATH


def _context(trace: int, span: int) -> SpanContext:
    return SpanContext(trace, span, is_remote=False, trace_flags=SAMPLED)
