"""The main job: a folder of sample documents in, results and dead letters out."""

import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from infra.demo.installation import Installation
from infra.demo.screen import CONSOLE, good, heading, note, table, typed

SAMPLES = Path(__file__).parent.parent / "samples" / "documents"
SECONDS = 150.0
PARTLY = (0, 3)
"""Some samples are bad on purpose, and `publish --wait` says so."""


def main_job(penstock: Installation, mark: str, started: float) -> None:
    """Publish the samples, show progress until each has come to an end, and sum up."""
    count = len(list(SAMPLES.iterdir()))
    heading(f"The main job: {count} documents (PDF, scans, pictures, DOCX, HTML, mail, text, CSV)")
    batch = f"samples-{mark}"
    # A tenant of its own for each run: the same document of the same tenant is the same document, and done already.
    command = ["publish", str(SAMPLES), "--tenant", f"demo-{mark}", "--batch", batch]
    typed(f"penstock publish infra/samples/documents --tenant demo-{mark} --batch {batch}")
    began = time.monotonic()
    penstock.run(*command)
    typed(f"penstock status --batch {batch}")
    progress(penstock, batch, count, began)
    summary(penstock, batch, count, time.monotonic() - began, started)


def progress(penstock: Installation, batch: str, count: int, began: float) -> None:
    """Show how the batch stands until nothing moves any more."""

    def done() -> bool:
        states = penstock.data("status", "--batch", batch, codes=(0, 3, 4)).get("states", {})
        ended = sum(number for state, number in states.items() if state in ENDS)
        words = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
        CONSOLE.print(f"  {time.monotonic() - began:5.1f} s  {ended:3d} of {count} at an end   [dim]{words}[/dim]")
        return bool(ended >= count)

    penstock.wait(done, SECONDS, f"{count} documents at an end")


ENDS = ("stored", "dead-lettered", "in-review", "rejected", "discarded", "cancelled", "superseded", "deduplicated")


def summary(penstock: Installation, batch: str, count: int, seconds: float, started: float) -> None:
    """What became of them, in words a person understands."""
    results = penstock.rows("results", "--batch", batch, "--limit", "1000")
    status = penstock.data("status", "--batch", batch, codes=(0, 3))
    stored = [row for row in results if row["state"] == "stored"]
    note("")
    table(
        ("type", "track", "stored", "fields found", "mean quality", "cost"),
        [by_type(name, rows) for name, rows in grouped(stored).items()],
        right=(2, 3, 4, 5),
    )
    note("")
    table(("dead letters by class", ""), sorted(status["failures"].items()), right=(1,))
    note("")
    states: dict[str, int] = status["states"]
    models = Counter(model for row in stored for model in row["models"])
    cost = sum(row["cost_usd"] for row in stored)
    answered = ", ".join(f"{model} ({number})" for model, number in models.most_common()) or "no model"
    good(
        f"{states.get('stored', 0)} stored + {states.get('dead-lettered', 0)} dead-lettered"
        f" + {states.get('in-review', 0)} waiting for review = {sum(states.values())} of {count} published"
    )
    note(f"  answered by {answered}; ${cost:.4f}; all at an end {seconds:.1f} s after publishing")
    first = min(datetime.fromisoformat(row["finished_at"]).timestamp() for row in stored)
    since = first - time.time() + time.monotonic() - started
    note(f"  the first result was stored {since:.1f} s after the demo began")


def grouped(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Rows by document type."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: (row["track"] != "technical", row["document_type"])):
        groups.setdefault(row["document_type"], []).append(row)
    return groups


def by_type(name: str, rows: list[dict[str, Any]]) -> tuple[object, ...]:
    """One line of the summary."""
    found = sum(sum(1 for value in row["fields"].values() if value) for row in rows)
    qualities = [row["quality"] for row in rows if row["quality"] is not None]
    quality = f"{sum(qualities) / len(qualities):.2f}" if qualities else "–"
    cost = sum(row["cost_usd"] for row in rows)
    return name, rows[0]["track"], len(rows), found or "–", quality, f"${cost:.4f}" if cost else "–"
