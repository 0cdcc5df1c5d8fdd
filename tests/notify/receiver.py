"""A receiver of webhooks that behaves as badly as it is told, and remembers what it was sent."""

import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from shared.core.webhooks.signature import signature

SECRET = "a-secret-that-is-long-enough"

Behaviour = Callable[["Handler", int], None]
"""Answers a request; it is handed how many there were before it."""


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: "Receiver"
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Note it, and behave."""
        promised = int(self.headers["content-length"])
        body = self.rfile.read(promised).decode()
        if len(body.encode()) < promised:
            # Whoever sent it was killed in the middle: nobody has received anything.
            self.close_connection = True
            return
        told = self.headers["webhook-id"], int(self.headers["webhook-timestamp"])
        signed = self.headers["webhook-signature"] == signature(SECRET.encode(), *told, body)
        with self.server.lock:
            number = len(self.server.requests)
            self.server.requests.append((told[0], body, signed))
        self.server.behaviour(self, number)

    do_GET = do_POST

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Receiver(ThreadingHTTPServer):
    """Listens on a port of its own for the length of a block."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, behaviour: Behaviour | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviour: Behaviour = behaviour or well
        self.requests: list[tuple[str, str, bool]] = []
        self.lock = threading.Lock()
        self.over = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}/private"

    @property
    def ids(self) -> Counter[str]:
        """Id to how often it came."""
        with self.lock:
            return Counter(message for message, _, _ in self.requests)

    @property
    def bodies(self) -> dict[str, set[str]]:
        """Id to the bodies that came under it."""
        found: dict[str, set[str]] = {}
        with self.lock:
            for message, body, _ in self.requests:
                found.setdefault(message, set()).add(body)
        return found

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever hangs up may."""

    def __enter__(self) -> "Receiver":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self.shutdown()
        self.server_close()


def well(handler: Handler, number: int) -> None:
    """Answer as one should."""
    handler.answer(200, b"ok")


def hangs(handler: Handler, number: int) -> None:
    """Never answer."""
    handler.server.over.wait(120)


def loris(handler: Handler, number: int) -> None:
    """Send a byte of the head of an answer now and then."""
    while not handler.server.over.wait(0.05):
        handler.wfile.write(b"H")
        handler.wfile.flush()


def drips(handler: Handler, number: int) -> None:
    """Send a good status, and then a byte of the body now and then."""
    handler.send_response(500)
    handler.send_header("content-length", "1000000")
    handler.end_headers()
    while not handler.server.over.wait(0.05):
        handler.wfile.write(b"x")


def floods(handler: Handler, number: int) -> None:
    """Refuse in ten megabytes."""
    handler.answer(500, b"x" * 10_000_000)


def garbage(handler: Handler, number: int) -> None:
    """Send what is no HTTP."""
    handler.wfile.write(b"\0\xff" * 100_000)
    handler.close_connection = True
