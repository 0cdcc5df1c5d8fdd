"""The labelled tour: each thing Penstock is used for, with the command a person would type."""

import os
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from infra.demo.installation import Installation
from infra.demo.papers import invoices
from infra.demo.screen import good, heading, note, said

STEP_SECONDS = 60.0
FAULTS = "/faults"
FIRST_MODEL = "sim-large"
RETRY_TOPIC = "documents.analyze.retry.5s"
MEASURE = "penstock_records_taken_total{"
PARTLY = (0, 3)


def tour(penstock: Installation, run: str) -> None:
    """All five steps."""
    scale(penstock)
    outage(penstock, run)
    retry(penstock, run)
    replay(penstock, run)
    review(penstock, run)


def publish(penstock: Installation, folder: Path, batch: str, *more: str) -> None:
    """Publish a folder as a batch of its own."""
    said(penstock.show("publish", os.path.relpath(folder), "--batch", batch, *more, codes=PARTLY))


def settled(penstock: Installation, batch: str, state: str, count: int) -> Any:
    """How the batch stands, as soon as so many of its documents are in the state."""
    command = ("status", "--batch", batch)

    def look() -> Any:
        found = penstock.data(*command, codes=(0, 3, 4))
        return found if found.get("states", {}).get(state, 0) >= count else None

    return penstock.wait(look, STEP_SECONDS, f"{count} of {batch} {state}")


def scale(penstock: Installation) -> None:
    """One stage in three processes, partitions moving."""
    heading("1 of 5  Scale one stage; its partitions move, nothing else notices")
    before = partitions(penstock)
    said(penstock.show("scale", "analyze=3"))

    def shared() -> dict[str, int]:
        found = partitions(penstock)
        return found if len(found) == 3 and all(found.values()) else {}

    after = penstock.wait(shared, STEP_SECONDS, "three processes share the partitions of analyze")
    for words, found in (("before", before), ("now", after)):
        note(f"  partitions of documents.analyze {words}: " + ", ".join(f"{k} has {n}" for k, n in found.items()))
    good("the partitions have moved; what was in flight was finished first")


def partitions(penstock: Installation) -> dict[str, int]:
    """How many partitions of its input each analyze process has."""
    return {
        one["instance"]: sum(place.startswith("documents.analyze/") for place in one["partitions"])
        for one in penstock.data("ps")
        if one["service"] == "analyze"
    }


def outage(penstock: Installation, run: str) -> None:
    """The first model fails: its breaker opens, the next one answers, one probe, closed."""
    heading("2 of 5  A provider goes down: breaker opens, next model answers, one probe")
    penstock.simulated("POST", FAULTS, {"model": FIRST_MODEL, "fault": "server_error"})
    batch = f"outage-{run}"
    publish(penstock, invoices(penstock.home / "tour", "Outage", run, 8), batch, "--wait")
    rows = penstock.rows("results", "--batch", batch)
    answered = Counter(model for row in rows for model in row["models"])
    good(f"{len(rows)} stored during the outage, answered by " + ", ".join(answered))
    said(penstock.show("breakers"))
    penstock.simulated("DELETE", FAULTS)
    note(f"The provider is back. After the recovery time the next call to {FIRST_MODEL} is the one probe:")

    def closed() -> bool:
        probe = f"probe-{run}-{len(probes)}"
        probes.append(probe)
        folder = invoices(penstock.home / "tour", f"Probe {len(probes)}", run, 1)
        penstock.run("publish", str(folder), "--batch", probe, "--wait", codes=PARTLY)
        return any(one["name"].endswith(FIRST_MODEL) and one["state"] == "closed" for one in breakers(penstock))

    probes: list[str] = []
    penstock.wait(closed, STEP_SECONDS, f"the breaker of {FIRST_MODEL} is closed")
    said(penstock.show("breakers"))
    good("the breaker is closed again; no document waited, none was dead-lettered")


def breakers(penstock: Installation) -> list[dict[str, Any]]:
    """Every breaker."""
    found = penstock.data("breakers")
    rows: list[dict[str, Any]] = found["breakers"] if isinstance(found, dict) else found
    return rows


def retry(penstock: Installation, run: str) -> None:
    """A passing failure: the document waits in a retry topic and comes back by itself."""
    heading("3 of 5  A failure that heals: the record passes a retry topic")
    mark = "Retry"
    penstock.simulated("POST", FAULTS, {"model": "*", "fault": "overloaded", "match": f"Reference: {mark}", "times": 3})
    batch = f"retry-{run}"
    publish(penstock, invoices(penstock.home / "tour", mark, run, 1), batch)
    (document,) = penstock.wait(lambda: seen(penstock, batch), STEP_SECONDS, f"the document of {batch}")
    said(penstock.show("status", document["document_id"]))
    settled(penstock, batch, "stored", 1)
    times = penstock.wait(lambda: taken(penstock, RETRY_TOPIC), STEP_SECONDS, f"a record of {RETRY_TOPIC} was read")
    good(f"{RETRY_TOPIC} was read {times:.0f} time(s), and the second attempt was stored")


def seen(penstock: Installation, batch: str) -> list[dict[str, Any]]:
    """The documents of a batch that wait in a retry topic, or are stored already where this looked too late."""
    found = penstock.data("status", "--batch", batch, codes=(0, 3, 4)).get("documents", [])
    return [one for one in found if one["state"] in ("in-retry", "stored")]


def taken(penstock: Installation, topic: str) -> float:
    """How many records of a topic the analyze processes have taken, by their own metrics."""
    total = 0.0
    for one in penstock.data("ps"):
        if one["service"] == "analyze":
            with urlopen(one["health"].replace("/health/ready", "/metrics"), timeout=5) as answer:
                lines = answer.read().decode().splitlines()
            total += sum(float(line.rsplit(" ", 1)[1]) for line in lines if MEASURE in line and f'"{topic}"' in line)
    return total


def replay(penstock: Installation, run: str) -> None:
    """Dead letters by class, their cause fixed, replayed, stored; the second replay finds nothing."""
    heading("4 of 5  Dead letters: why, fix the cause, replay")
    mark = "Too long"
    penstock.simulated("POST", FAULTS, {"model": "*", "fault": "token_limit", "match": f"Reference: {mark}"})
    batch = f"replay-{run}"
    publish(penstock, invoices(penstock.home / "tour", mark, run, 3), batch)
    settled(penstock, batch, "dead-lettered", 3)
    said(penstock.show("dlq", "list"))
    note("The cause is fixed: the models take longer prompts now.")
    penstock.simulated("DELETE", FAULTS)
    selection = ("dlq", "replay", "--class", "token_limit")
    said(penstock.show(*selection, "--dry-run"))
    said(penstock.show(*selection, "--reason", '"longer context"'))
    settled(penstock, batch, "stored", 3)
    good("all three are stored")
    said(penstock.show(*selection, codes=(0, 4)))
    good("the second replay is a no-op")


def review(penstock: Installation, run: str) -> None:
    """A doubtful answer waits for a person, and a decision lets it go on."""
    heading("5 of 5  A doubtful answer: a person decides in mid-workflow")
    mark = "Doubtful"
    penstock.simulated("POST", FAULTS, {"model": "*", "fault": "ungrounded", "match": f"Reference: {mark}"})
    batch = f"review-{run}"
    publish(penstock, invoices(penstock.home / "tour", mark, run, 1), batch)
    (document,) = settled(penstock, batch, "in-review", 1)["documents"]
    said(penstock.show("review", "list"))
    rows = penstock.rows("review", "list")
    waiting = next(row for row in rows if row["document_id"] == document["document_id"])
    said(penstock.show("review", "decide", waiting["review_id"], "approve", "--note", '"read it: fine"'))
    settled(penstock, batch, "stored", 1)
    penstock.simulated("DELETE", FAULTS)
    good("approved, and stored without running anything again")
