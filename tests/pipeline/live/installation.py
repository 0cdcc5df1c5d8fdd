"""The `documents` pipeline with every service as a process of its own, and the doors through which a test uses it."""

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import psycopg
from psycopg.rows import dict_row

from infra.bench import outsider
from infra.bench.herd import Herd
from infra.local.parts import Endpoints
from infra.local.parts.ports import free_port
from shared.setting_names import PROVIDERS

STAGES = ("extract", "classify", "analyze", "validate", "store")
SERVICES = ("ingest", *STAGES, "review")
SUBMITTED = outsider.load(Path("schemas/DocumentSubmitted.avsc"))
RESULT = outsider.load(Path("schemas/DocumentResult.avsc"))
LATENCY_MS = "50"
"""How long the simulated provider thinks; told to be slow, a second."""
NOBODY = dict.fromkeys(PROVIDERS, "")
"""Keys of whoever runs the tests: no test may spend their money."""

Started = tuple["subprocess.Popen[bytes]", int]
"""A service's process and the port of its health."""


class Documents:
    """One installation; every test of the package uses it with document ids of its own."""

    def __init__(self, parts: Endpoints, herd: Herd) -> None:
        self.parts = parts
        self.herd = herd
        self.sim = f"http://127.0.0.1:{(sim := free_port())}"
        self.door = f"http://127.0.0.1:{(door := free_port())}"
        self._settings = {"PENSTOCK_MODELSIM_URL": self.sim, "PENSTOCK_INGEST__PORT": str(door)}
        self._database = psycopg.connect(parts.database or "", autocommit=True, row_factory=dict_row)
        herd.start("infra.modelsim", PENSTOCK_MODELSIM_PORT=str(sim), PENSTOCK_MODELSIM_LATENCY_MS=LATENCY_MS)
        self.running: dict[str, list[Started]] = {name: [self._start(name)] for name in SERVICES}
        self.wait_until_ready(*SERVICES)

    def close(self) -> None:
        """Let go of the tables."""
        self._database.close()

    # ---------------------------------------------------------------------------------------------------- processes

    def _start(self, service: str, settings: Mapping[str, str] = MappingProxyType({})) -> Started:
        port = free_port()
        environment = self._settings | {"PENSTOCK_HEALTH_PORT": str(port)} | dict(settings)
        return self.herd.start(f"services.{service}", **environment), port

    def wait_until_ready(self, *services: str) -> None:
        """Return when each of their processes says that it is."""
        ports = {port: service for service in services for _, port in self.running[service]}

        def unready() -> list[str]:
            return [service for port, service in ports.items() if not said_by(port).get("ready")]

        self.herd.wait_until(lambda: not unready(), 60, lambda: f"{unready()} are not ready")

    @contextmanager
    def instead(self, settings: Mapping[str, str], **counts: int) -> Iterator[None]:
        """For the length of a block, run services with other settings, each in so many processes."""
        self.replace(settings, counts)
        try:
            yield
        finally:
            self.replace({}, dict.fromkeys(counts, 1))

    def replace(self, settings: Mapping[str, str], counts: Mapping[str, int]) -> None:
        """Run services with these settings from now on, each in so many processes."""
        leaving = [process for service in counts for process, _ in self.running[service] if process.poll() is None]
        for process in leaving:
            process.terminate()
        for process in leaving:
            assert process.wait(20) == 0, f"{process.args!r} did not drain\n{self.herd.log()}"
        self.running |= {name: [self._start(name, settings) for _ in range(count)] for name, count in counts.items()}
        self.wait_until_ready(*counts)

    # ------------------------------------------------------------------------------------------------------- doors

    def publish(self, submissions: Iterable[dict[str, Any]]) -> None:
        """Straight to Kafka, as any client would: no header, the document's id as key."""
        records = ((one["document_id"], outsider.encoded(SUBMITTED, one)) for one in submissions)
        outsider.publish(self.kafka, "documents.ingest", records)

    @property
    def kafka(self) -> str:
        """Bootstrap servers."""
        return self.parts.kafka or ""

    def read(self, topic: str, ids: Collection[str]) -> list[outsider.Record]:
        """The records of these documents in a topic of the pipeline, named without the pipeline."""
        keys = {name.encode() for name in ids}
        return [record for record in outsider.read(self.kafka, f"documents.{topic}") if record[0] in keys]

    def results(self, ids: Collection[str]) -> list[dict[str, Any]]:
        """What the results topic says of these documents."""
        return [outsider.decoded(RESULT, value) for _, value, _ in self.read("results", ids)]

    def rows(self, ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """Rows of the table of results, by document."""
        found = self._database.execute("select * from results where document_id = any(%s)", [list(ids)])
        return {row["document_id"]: row for row in found}

    def reviews(self, ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """Rows of the table of reviews, by document; a person is asked once about each."""
        found = self._database.execute("select * from reviews where document_id = any(%s)", [list(ids)]).fetchall()
        rows = {row["document_id"]: row for row in found}
        assert len(rows) == len(found), [row | {"proposal": len(row["proposal"])} for row in found]
        return rows

    def wait_until_stored(self, ids: Collection[str], seconds: float = 60) -> dict[str, dict[str, Any]]:
        """Return the rows when each of these documents is in the table and on the results topic."""
        wanted = set(ids)
        self.herd.wait_until(
            lambda: self.rows(wanted).keys() == wanted, seconds, lambda: f"not in: {wanted - self.rows(wanted).keys()}"
        )
        # The row is written first, the record with the progress right behind it.
        self.herd.wait_until(lambda: {one["document_id"] for one in self.results(wanted)} == wanted, 20)
        return self.rows(wanted)

    # ------------------------------------------------------------------------------------------------ the provider

    @contextmanager
    def fault(self, **order: Any) -> Iterator[None]:
        """For the length of a block, have the simulated provider fail as ordered."""
        httpx.post(f"{self.sim}/faults", json=order).raise_for_status()
        try:
            yield
        finally:
            httpx.delete(f"{self.sim}/faults").raise_for_status()

    def asked(self, model: str) -> int:
        """How many requests have come to a simulated model."""
        models: dict[str, dict[str, int]] = httpx.get(f"{self.sim}/bill").json()["models"]
        return models.get(model, {"requests": 0})["requests"]


def in_flight(port: int) -> float:
    """How many records a stage's process has taken up and not finished."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("penstock_records_in_flight{"))


def said_by(port: int) -> dict[str, Any]:
    """What a service says of its readiness; empty while it does not answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5) as answer:
            said: dict[str, Any] = json.load(answer)
            return said
    except urllib.error.HTTPError as error:
        error.close()
    except OSError:
        pass
    return {}
