"""`penstock drill`: break a running local installation on purpose, and see whether it keeps its promises."""

import asyncio
import secrets
import tempfile
import time
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from infra import local
from shared.cli.drills.kinds import Drill, Ground, chosen
from shared.cli.drills.verdict import Report, Seen, judged
from shared.cli.exits import Exit, Stop
from shared.cli.handing_in import Terms
from shared.cli.session import Session, open_session
from shared.cli.talk import Json, data, progress, table
from shared.cli.verbs.local import health_of
from shared.cli.verbs.publish import check, handed_in
from shared.cli.waiting import End, end_of, starts
from shared.core.delivery import Delivery
from shared.core.event import Partition
from shared.kafka.reading import Tail

SETTLE_SECONDS = 2.0
"""How long a second end of a document is still looked for once all have one."""
BACK_SECONDS = 60.0
"""Longest wait for every process to be ready again."""
LOOK_SECONDS = 0.5
"""Seconds between two looks at them."""

INVOICE = """INVOICE

From: Drill Hall Ltd
Bill to: {name}
Invoice No: {name}
Invoice date: 2026-03-02
Due date: 2026-04-01

Ropes and ladders    240.00
Total    EUR 240.00
"""


def drill(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]…", help="Drills to run; none: all.")] = None,
    documents: Annotated[int, typer.Option(min=1, max=1000, help="Documents on their way in each drill.")] = 10,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait for the documents of a drill.")] = 300.0,
    as_json: Json = False,
) -> Exit:
    """Break a running local installation on purpose, one failure after another, and check the promises."""
    session = open_session()
    drills, ground = chosen(names or []), Ground(session.settings.home)
    if not local.ps(ground.home):
        raise Stop(Exit.UNREACHABLE, f"nothing runs in {ground.home}: start it with `penstock up --detach`")
    run, reports = secrets.token_hex(3), []
    for one in drills:
        progress(f"{one.name}: {one.says}")
        reports.append(judged(one.name, drilled(session, ground, one, papers(run, one, documents), timeout)))
        progress("")
    tell(reports, as_json)
    return Exit.FAILED if any(report.broken for report in reports) else Exit.DONE


def papers(run: str, one: Drill, count: int) -> dict[str, str]:
    """File name to content: invoices that nobody has handed in before."""
    names = [f"{run}-{one.name}-{number}" for number in range(count)]
    return {f"{name}.txt": INVOICE.format(name=name) for name in names}


def drilled(session: Session, ground: Ground, one: Drill, files: Mapping[str, str], timeout: float) -> Seen:
    """Publish, break, mend, and watch until every document has ended and every process is ready."""
    begin = starts(session)
    try:
        if one.from_the_start:
            one.breaks(ground)
        wanted = published(session, files)
        began = time.monotonic()
        if not one.from_the_start:
            one.breaks(ground)
        ends, last = watched(session, begin, wanted, timeout)
    finally:
        one.mends(ground)
    return Seen(wanted, ends, last - began, not_ready(ground))


def published(session: Session, files: Mapping[str, str]) -> list[str]:
    """Hand the files in; gives their documents. Raises Stop where one did not get in."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_text(content, "utf-8")
        paths = sorted(Path(folder).iterdir())
        terms = Terms(tenant="drill")
        check(session, paths, terms)
        done = asyncio.run(handed_in(session, paths, terms))
    if done.failed:
        raise Stop(Exit.FAILED, f"not published: {'; '.join(done.failed.values())}")
    return list(done.documents.values())


def watched(
    session: Session, begin: dict[Partition, int], wanted: Collection[str], timeout: float
) -> tuple[dict[str, list[End]], float]:
    """Every end of the documents, and when the last of them had its first."""
    ends: dict[str, list[End]] = {}
    deadline, last = time.monotonic() + timeout, time.monotonic()
    with Tail(session.kafka, begin) as tail:
        while time.monotonic() < deadline:
            for record in tail.poll(0.2):
                end = end_of(session, record) if isinstance(record, Delivery) else None
                if end and end.document_id in wanted:
                    last = last if end.document_id in ends else time.monotonic()
                    ends.setdefault(end.document_id, []).append(end)
            if len(ends) == len(wanted):
                deadline = min(deadline, last + SETTLE_SECONDS)
    return ends, last


def not_ready(ground: Ground) -> list[str]:
    """Processes that do not run, or are not ready, or for which something is weaker, when the time for it is over."""
    deadline = time.monotonic() + BACK_SECONDS
    while True:
        processes = local.ps(ground.home)
        found = [one.name for one in processes if one.state != "running" or trouble(one)]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(LOOK_SECONDS)


def trouble(process: local.ServiceProcess) -> bool:
    """Whether a service is not what it was. A part has no health of its own: it runs, or its services tell."""
    if process.part:
        return False
    health = health_of(process)
    return not health["ready"] or bool(health["weaker"])


def tell(reports: list[Report], as_json: bool) -> None:
    """Show them."""
    if as_json:
        data([asdict(report) for report in reports])
        return
    rows = [(r.drill, r.documents, counts(r.states), r.seconds, "no" if r.broken else "yes") for r in reports]
    table(("drill", "documents", "ended", "seconds", "kept"), rows)
    for report in reports:
        for sentence in report.broken:
            print(f"{report.drill}: {sentence}")


def counts(states: Mapping[str, int]) -> str:
    """State and number, in words."""
    return ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
