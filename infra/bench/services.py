"""The five services and a simulated provider, started for a measurement, and a document that goes through all."""

import urllib.error
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from infra.bench import outsider
from infra.bench.herd import Herd
from infra.local.parts.ports import free_port
from shared.pipelines.documents import DOCUMENTS
from shared.setting_names import PROVIDERS

SUBMITTED = outsider.load(Path(__file__).parents[2] / "schemas" / "DocumentSubmitted.avsc")
NOBODY = dict.fromkeys(PROVIDERS, "")
"""Keys of whoever runs this: nobody's money is spent."""
INVOICE = """INVOICE

Invoice number: {name}
Invoice date: 2026-03-01
Due date: 2026-03-31

From: Alder Works Ltd
Bill to: Birch Trading GmbH

Oak planks, 10 pieces, 12.00 each

Total: 120.00 EUR

Please pay within 30 days. The planks were delivered on 2 March to the north gate.
"""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where what was started listens."""

    provider: int
    """The simulated provider."""
    health: tuple[int, ...]
    """Each stage's health."""


def start(herd: Herd, latency_ms: int = 0) -> Ports:
    """Start the provider and every stage, and wait until each says that it is ready."""
    simulated = free_port()
    herd.start("infra.modelsim", PENSTOCK_MODELSIM_PORT=str(simulated), PENSTOCK_MODELSIM_LATENCY_MS=str(latency_ms))
    ports = [free_port() for _ in DOCUMENTS.stages]
    for stage, port in zip(DOCUMENTS.stages, ports, strict=True):
        settings = {
            "PENSTOCK_HEALTH_PORT": str(port),
            "PENSTOCK_MODELSIM_URL": f"http://127.0.0.1:{simulated}",
        }
        herd.start(f"services.{stage.name}", **settings)
    herd.wait_until(lambda: all(ready(port) for port in ports), 90, lambda: "the services are not ready")
    return Ports(simulated, tuple(ports))


def ready(port: int) -> bool:
    """Whether a service says that it can take work."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        error.close()
        return False
    except OSError:
        return False
