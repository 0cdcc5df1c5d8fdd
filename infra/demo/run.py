"""The demo from its first line to its last: start, main job, tour, end."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from infra.demo.installation import DemoError, Installation
from infra.demo.job import main_job
from infra.demo.screen import good, heading, note, said, typed
from infra.demo.tour import tour
from shared.setting_names import PROVIDERS

HOME = Path(".penstock") / "demo"
QUICK = {"PENSTOCK_BREAKER__THRESHOLD": "3", "PENSTOCK_BREAKER__RECOVERY": "5"}
"""A breaker that opens after 3 failures and probes after 5 s, not 5 and 120: nobody watches a demo for minutes."""


def demo() -> int:
    """Run it; gives the exit code."""
    started = time.monotonic()
    mark = datetime.now(UTC).strftime("%H%M%S")
    try:
        with Installation(HOME.resolve(), QUICK) as penstock:
            begin(penstock, started)
            main_job(penstock, mark, started)
            if provider():
                note(f"\nSkipped, the tour: a real provider ({provider()}) does not fail on command.")
            else:
                tour(penstock, mark)
            heading("The end")
            said(penstock.show("down"))
    except DemoError as error:
        note(f"\nThe demo failed: {error}")
        return 1
    except KeyboardInterrupt:
        note("\nInterrupted; everything it started is stopped.")
        return 130
    good(f"everything is stopped; the demo took {time.monotonic() - started:.0f} s. Next: README.md, `make up`")
    return 0


def begin(penstock: Installation, started: float) -> None:
    """Start it, and say what runs."""
    heading("Start: Kafka, Redis, PostgreSQL and every service as its own process")
    note(f"Everything of this demo lives in {os.path.relpath(HOME)}/ and is stopped at its end.")
    typed("penstock up")
    found = penstock.wait_until_ready()
    names = [one["instance"] for one in found]
    good(f"{len(names)} processes run after {time.monotonic() - started:.1f} s: {', '.join(sorted(names))}")
    if provider():
        note(f"Models: the real provider that {provider()} names answers, and its calls cost money.")
    else:
        note("Models: no key is set, so the simulated provider (modelsim) answers; its prices are made up.")


def provider() -> str:
    """The variable that names a real provider; empty where there is none."""
    return next((name for name in PROVIDERS if os.environ.get(name)), "")
