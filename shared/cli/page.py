"""The one screen of `penstock status ID`: labelled lines, at most 80 columns wide. Pure."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.cli.outlook import Outlook
from shared.cli.talk import cell, shown
from shared.core.expectation import Expectation
from shared.core.stuck import Shut
from shared.kafka.whereabouts import DEAD, PARKED, RETRY, WAITING, Whereabouts

WIDTH, LABEL = 80, 13
"""Columns of the screen, and of a label with the gap behind it."""
LINES = 4
"""Most lines of one text; `--json` has all of it."""
SHOWN = ("version", "tenant", "filename", "document_type", "track", "confidence", "quality", "summary")
"""Columns of a result that are shown."""
WAYS = {"ended": "ended", "dead-lettered": "became dead letters", "review": "went to a person"}
"""What became of documents, in words."""
WAITS, TRIPPED = "waits for", "tripped "
"""A label; and how the reason of a breaker begins that somebody has opened by hand."""

Line = tuple[str, str]
"""A label and a text."""


def screen(
    where: Whereabouts,
    outlook: Outlook | None,
    row: Mapping[str, Any] | None,
    cost: Mapping[str, Any] | None,
    now: datetime,
) -> list[str]:
    """All of it."""
    found = list(_place(where, outlook, now))
    if outlook:
        found += list(_waits(where, outlook, now))
    found += list(_trouble(where, outlook))
    if outlook and where.state != DEAD:
        found += list(_future(where, outlook, now))
    if row and where.is_open:
        found.append(("stored", f"version {row['version']}, which came before; it follows"))
    told = [*(_result(row) if row else ()), *_spent(cost or {})]
    room = min(max((len(label) for label, _ in told), default=0) + 2, WIDTH // 2)
    lines = [line for label, text in _joined(found) for line in laid(label, text)]
    return lines + [line for label, text in told for line in laid(label, text, max(room, LABEL))]


def _place(where: Whereabouts, outlook: Outlook | None, now: datetime) -> Iterator[Line]:
    yield "document id", where.document_id
    flag = " (STUCK)" if outlook and outlook.stuck else ""
    yield "state", where.state + (f" at {where.stage}" if where.stage else "") + flag
    yield "since", f"{moment(where.since, now)} ({lasted(now, where.since)} ago)"
    if where.batch_id:
        yield "batch", where.batch_id
    if where.position:
        yield "record", where.position


def _waits(where: Whereabouts, outlook: Outlook, now: datetime) -> Iterator[Line]:
    due = (outlook.ripe_at - now).total_seconds()
    pause = next((one for one in outlook.held if one.name == where.stage), None)
    if pause and where.state in (WAITING, RETRY, PARKED):
        yield WAITS, f"{pause.name}, paused {since(pause, now)} ({why(pause)}): `penstock resume {pause.name}`"
    match where.state:
        case "in-retry" if due > 0:
            yield WAITS, f"its next try, due by {moment(outlook.ripe_at, now)} (in {length(due)})"
        case "in-retry" | "waiting" if not pause:
            yield WAITS, _turn(where, outlook, due)
            if outlook.stuck and outlook.limit:
                yield WAITS, f"nothing that is known: beyond {length(outlook.limit)} it counts as stuck"
        case "parked":
            yield WAITS, _parked(where)
        case "in-review":
            yield WAITS, f"a person: `penstock review show {where.position}`"
        case "dead-lettered":
            yield WAITS, f"an operator: `penstock dlq show {where.position}`"
    if where.state in (WAITING, RETRY, PARKED):
        yield from (("breakers", shut(one, now)) for one in outlook.held if one is not pause)


def _turn(where: Whereabouts, outlook: Outlook, due: float) -> str:
    late = f"; its time came {length(-due)} ago" if where.state == RETRY else ""
    if outlook.held:
        return f"a breaker that is open, or it is being worked on{late}"
    if outlook.before is None:
        return f"its turn at {where.stage}, or it is being worked on{late}"
    if outlook.before:
        return f"its turn at {where.stage}, or it is being worked on: {outlook.before:,} came before it{late}"
    return f"nothing: it is the first at {where.stage}, or being worked on{late}"


def _parked(where: Whereabouts) -> str:
    name = where.message.removeprefix("waits for ")
    if name == "document":
        return "an older record of the same document, which waits itself"
    if name.startswith("budget:"):
        return f"{name}, which is spent: raise it under [budgets], or wait for midnight UTC"
    return name or "something that its record does not name"


def shut(one: Shut, now: datetime) -> str:
    """A breaker, with why and until when."""
    if one.reason.startswith(TRIPPED):
        return f"{one.name} was opened by hand ({why(one)}): `penstock breakers reset {one.name}`"
    until = f"tried again in {length(one.seconds)}" if one.seconds > 0 else "about to be tried again"
    return f"{one.name} is open, {until} ({one.reason})"


def since(one: Shut, now: datetime) -> str:
    """Since when something is shut."""
    return f"since {moment(one.since, now)}"


def why(one: Shut) -> str:
    """The reason that a person gave."""
    return one.reason.partition(": ")[2] if one.reason.startswith(TRIPPED) else one.reason


def _trouble(where: Whereabouts, outlook: Outlook | None) -> Iterator[Line]:
    if where.attempts:
        most = f" of {outlook.attempts}" if outlook and outlook.attempts else ""
        yield "attempts", f"{where.attempts}{most} failed"
    message = "" if where.state == PARKED and not where.failure else where.message
    said = ": ".join(filter(None, (where.failure, message)))
    if said:
        yield "failure" if where.failure else "reason", said


def _future(where: Whereabouts, outlook: Outlook, now: datetime) -> Iterator[Line]:
    for number, branch in enumerate(outlook.next):
        when = f" (when {' and '.join(branch.when)})" if branch.when else ""
        yield "next" if not number else "or", " > ".join((*branch.stages, "results")) + when
    match where.state:
        case "in-review":
            yield "expected", "unknown: a person decides"
        case "parked":
            yield "expected", "unknown: nobody can say when what it waits for is back"
        case _:
            yield from (("expected", text) for text in _expected(outlook.expected, now))
    yield from (("not known", text) for text in outlook.unknown if text not in outlook.expected.why)


def _expected(found: Expectation, now: datetime) -> Iterator[str]:
    if found.half is None:
        yield found.why
        return
    later = moment(found.most, now) if found.most else "a time that is not known yet"
    yield f"half of such documents by {moment(found.half, now)}, 95 of 100 by {later}"
    kind = f"of type {found.document_type}" if found.document_type else "of all types"
    ways = ", ".join(f"{count:,} {WAYS.get(way, way)}" for way, count in sorted(found.ways.items()))
    yield f"from {found.documents:,} documents {kind}" + (f": {ways}" if ways else "")
    if found.why:
        yield found.why


def _result(row: Mapping[str, Any]) -> Iterator[Line]:
    yield from ((name, str(row[name])) for name in SHOWN if row[name] not in ("", None))
    yield from ((f"field {name}", str(value)) for name, value in row["fields"].items())
    yield from ((f"answer to {name}", str(value)) for name, value in row["answers"].items())


def _spent(cost: Mapping[str, Any]) -> Iterator[Line]:
    # What the result says of its cost knows nothing of tries that failed.
    yield from ((name, cell(value)) for name, value in cost.items() if value and name != "documents")


def _joined(lines: Sequence[Line]) -> Iterator[Line]:
    """The same label is said once."""
    before = ""
    for label, text in lines:
        yield "" if label == before else label, text
        before = label


def laid(label: str, text: str, room: int = LABEL) -> list[str]:
    """A label and its text, over several lines where it is long; what came from outside cannot steer the terminal."""
    label = shown(label.replace("_", " "))
    head = [] if len(label) < room else textwrap.wrap(label, WIDTH, max_lines=2, placeholder=" …")
    lines = textwrap.wrap(shown(text), WIDTH - room, max_lines=LINES, placeholder=" …") or [""]
    first = "" if head else label
    return head + [f"{'' if n else first:{room}}{line}".rstrip() for n, line in enumerate(lines)]


def moment(at: datetime, now: datetime) -> str:
    """A time, without its day where that is today."""
    return f"{at:%H:%M:%S} UTC" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M} UTC"


def lasted(now: datetime, since: datetime) -> str:
    """How long since."""
    return length(max((now - since).total_seconds(), 0.0))


def length(seconds: float) -> str:
    """Seconds as people say them, two units at most."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    for size, unit, smaller, part in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {unit}" + (f" {rest} {part}" if rest else "")
    return f"{whole} s"
