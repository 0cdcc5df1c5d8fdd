"""A stand-in for the Confluent schema registry: a real HTTP server that answers the two requests which clients make.

POST /subjects/<subject>/versions   {"schema": "…"}  ->  {"id": 1}    the same schema has the same id
GET  /schemas/ids/<id>                               ->  {"schema": "…"}
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlparse

FIRST_ID = 100_001


@dataclass
class Registry:
    """What was registered."""

    url: str = ""
    schemas: list[str] = field(default_factory=list)
    subjects: dict[str, int] = field(default_factory=dict)

    def register(self, subject: str, schema: str) -> int:
        """The schema's id."""
        if schema not in self.schemas:
            self.schemas.append(schema)
        self.subjects[subject] = FIRST_ID + self.schemas.index(schema)
        return self.subjects[subject]

    def schema(self, schema_id: int) -> str | None:
        """The schema of that id."""
        index = schema_id - FIRST_ID
        return self.schemas[index] if 0 <= index < len(self.schemas) else None


@contextmanager
def serving() -> Iterator[Registry]:
    """A registry on a free port, for the length of a block."""
    registry = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, *rest = urlparse(self.path).path.strip("/").split("/")
            found = registry.schema(int(rest[1])) if kind == "schemas" and rest[0] == "ids" else None
            self._answer(200 if found else 404, {"schema": found} if found else {"error_code": 40403, "message": "no"})

        def do_POST(self) -> None:
            kind, subject, *_ = urlparse(self.path).path.strip("/").split("/")
            said = json.loads(self.rfile.read(int(self.headers["content-length"])))
            assert kind == "subjects"
            self._answer(200, {"id": registry.register(subject, said["schema"])})

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/vnd.schemaregistry.v1+json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        registry.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield registry
        finally:
            server.shutdown()
            thread.join()
