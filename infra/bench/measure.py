"""Runs scenarios one after another on servers of its own, and puts their figures together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from infra.bench.bench import Bench, Scenario
from infra.bench.figures import Figures, together
from infra.bench.herd import Unreached
from infra.bench.homes import KAFKA_HEAP_MIB, temporary_home
from infra.bench.outsider import Unacknowledged
from infra.local.parts import start_parts
from shared.database.migrate import migrate

Scenarios = Mapping[str, Scenario]
"""Name to scenario, in the order in which they run."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A scenario that gave no figures."""

    name: str
    """Which."""
    reason: str
    """Why."""


def measure(scenarios: Scenarios, *, small: bool, say: Callable[[str], None]) -> tuple[Figures, list[Failed]]:
    """Run them; one that cannot be brought to an end does not keep the others from running.

    Servers, processes and files are gone afterwards, also when it is interrupted.
    """
    measured, failed = [], []
    with temporary_home() as home:
        parts = start_parts(home, report=say, kafka_heap_mib=KAFKA_HEAP_MIB)
        try:
            migrate(parts.endpoints.database or "")
            folder = home / "runs"
            folder.mkdir()
            for name, scenario in scenarios.items():
                try:
                    measured.append(scenario(Bench(parts.endpoints, folder, small, say)))
                except (Unreached, Unacknowledged, TimeoutError) as error:
                    say(f"{name} gave no figures: {error}")
                    failed.append(Failed(name, str(error)))
        finally:
            parts.stop()
    return together(measured), failed
