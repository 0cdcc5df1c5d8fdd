"""An OTLP receiver: a real HTTP server that takes spans, or misbehaves as told."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue


@dataclass(frozen=True)
class Received:
    """One span as it came."""

    name: str
    trace: str
    id: str
    parent: str
    links: tuple[tuple[str, str], ...]
    start: int
    end: int
    kind: int
    failed: bool
    said: dict[str, Any]
    service: str


@dataclass
class Receiver:
    """What came, and how the next requests are answered."""

    url: str = ""
    status: int = 200
    """0: never answered."""
    spans: list[Received] = field(default_factory=list)
    requests: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes = b""
    """All bodies one after the other, unpacked."""
    over: threading.Event = field(default_factory=threading.Event)
    """Lets requests that hang end."""

    def named(self, name: str) -> list[Received]:
        """The spans of that name."""
        return [span for span in list(self.spans) if span.name == name]

    def of(self, document: str) -> dict[str, Received]:
        """The spans of a document by their id: a repeat after a crash is one with the first."""
        return {span.id: span for span in list(self.spans) if span.said.get("penstock.document_id") == document}

    def take(self, path: str, body: bytes) -> None:
        """Keep what a request says."""
        assert path.endswith("/v1/traces")
        self.raw += body
        message = ExportTraceServiceRequest()
        message.ParseFromString(body)
        for resource in message.resource_spans:
            service = {one.key: plain(one.value) for one in resource.resource.attributes}["service.name"]
            for scope in resource.scope_spans:
                self.spans += [received(span, service) for span in scope.spans]


def received(span: Any, service: str) -> Received:
    """One span out of its message."""
    return Received(
        name=span.name,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        kind=span.kind,
        failed=span.status.code == 2,
        said={one.key: plain(one.value) for one in span.attributes},
        service=service,
    )


def plain(value: AnyValue) -> Any:
    """A value as Python has it."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(one) for one in value.array_value.values]
    return getattr(value, kind) if kind else None


@contextmanager
def receiving(status: int = 200) -> Iterator[Receiver]:
    """A receiver on a free port, for the length of a block."""
    receiver = Receiver(status=status)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.requests += 1
            receiver.headers = {name.lower(): value for name, value in self.headers.items()}
            if receiver.status == 0:
                receiver.over.wait(60)
                return
            if receiver.status == 200:
                receiver.take(self.path, gzip.decompress(body))
            self.send_response(receiver.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        receiver.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.over.set()
            server.shutdown()
            thread.join()
