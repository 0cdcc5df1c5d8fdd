"""Says what became of every ticket of the counted stage; knows Kafka and the two files of calls and schemas only."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.bench import outsider

OPENED = outsider.load(Path("tests/pipeline/tiny/TicketOpened.avsc"))
TRIAGED = outsider.load(Path("tests/pipeline/tiny/TicketTriaged.avsc"))
CLOSED = outsider.load(Path("tests/pipeline/tiny/TicketClosed.avsc"))

Ticket = tuple[str, int]
"""Key and number within the key."""


@dataclass(frozen=True)
class Findings:
    """What an audit found; `broken` is empty when every promise was kept."""

    lost: frozenset[Ticket]
    """Published, and without a result."""
    doubled: frozenset[Ticket]
    """With more than one result."""
    overtaken: frozenset[str]
    """Keys whose results are not in the order of publishing."""
    repeated: Mapping[Ticket, int]
    """Called more than once, and how often too many."""
    repeated_after_record: frozenset[Ticket]
    """Called again although a result was committed: the result is not that of the last call."""

    @property
    def broken(self) -> str:
        """What was not kept, in words; empty when everything was."""
        told = {
            "lost": self.lost,
            "doubled": self.doubled,
            "overtaken": self.overtaken,
            "repeated after its result was committed": self.repeated_after_record,
        }
        return "; ".join(f"{len(found)} {what}: {sorted(found)[:5]}" for what, found in told.items() if found)


def tickets(keys: int, each: int, first: int = 0) -> list[Ticket]:
    """`each` of every key, numbered from `first`, the keys taking turns."""
    return [(f"k{key}", number) for number in range(first, first + each) for key in range(keys)]


def opened(keys: int, each: int, first: int = 0) -> list[tuple[str, bytes]]:
    """Such tickets as records that `triage` takes."""
    return [
        (key, outsider.encoded(OPENED, {"document_id": key, "subject": str(number), "opened_at": 0}))
        for key, number in tickets(keys, each, first)
    ]


def triaged(keys: int, each: int, first: int = 0) -> list[tuple[str, bytes]]:
    """Such tickets as records that `close` takes."""
    rest = {"event_id": "", "urgent": False, "due_at": None}
    return [
        (key, outsider.encoded(TRIAGED, {"document_id": key, "subject": str(number), **rest}))
        for key, number in tickets(keys, each, first)
    ]


def results(kafka: str, topic: str) -> list[tuple[Ticket, int]]:
    """Every committed result in the order of its partition: the ticket, and the process that answered it."""
    found = []
    for _, value, _ in outsider.read(kafka, topic):
        event = outsider.decoded(CLOSED, value)
        number, process = event["answer"].split()
        found.append(((event["document_id"], int(number)), int(process)))
    return found


def calls(path: Path) -> list[tuple[Ticket, int]]:
    """Every call in the order in which they began: the ticket, and the process."""
    if not path.exists():
        return []
    told = (line.split() for line in path.read_text().splitlines())
    return [((key, int(number)), int(process)) for key, number, process in told]


def audit(published: Iterable[Ticket], found: list[tuple[Ticket, int]], called: list[tuple[Ticket, int]]) -> Findings:
    """Compare what was published with what came of it, and with the calls that it took."""
    times = Counter(ticket for ticket, _ in found)
    order: dict[str, list[int]] = defaultdict(list)
    for (key, number), _ in found:
        order[key].append(number)
    last_call = dict(called)
    return Findings(
        lost=frozenset(published) - times.keys(),
        doubled=frozenset(ticket for ticket, count in times.items() if count > 1),
        overtaken=frozenset(key for key, numbers in order.items() if numbers != sorted(numbers)),
        repeated={ticket: n - 1 for ticket, n in Counter(ticket for ticket, _ in called).items() if n > 1},
        repeated_after_record=frozenset(ticket for ticket, process in found if last_call.get(ticket) != process),
    )
