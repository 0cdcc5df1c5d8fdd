"""What tests of the call ledger share: tries of a request, and a watch that remembers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace

from shared.core.ledger import Intent, Recorded, Scope, State, call_fingerprint

SCOPE = Scope("documents", "analyze", "acme", "d1", "documents.analyze/0/7")
_TICKETS = itertools.count(1)


@dataclass
class Silent:
    """A watch that remembers what it was told."""

    repeats: list[Intent] = field(default_factory=list)
    found: list[Recorded] = field(default_factory=list)
    ends: list[Recorded] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def repeated(self, intent: Intent) -> None:
        self.repeats.append(intent)

    def reused(self, record: Recorded) -> None:
        self.found.append(record)

    def ended(self, record: Recorded) -> None:
        self.ends.append(record)

    def gathered(self, kind: str, calls: int, seconds: float) -> None:
        assert calls > 0
        assert seconds >= 0

    def spooled(self, size: int) -> None:
        assert size >= 0

    def trouble(self, said: str) -> None:
        self.troubles.append(said)


def intent_of(question: str, scope: Scope = SCOPE) -> Intent:
    """The first try of a request."""
    return Intent(call_fingerprint(scope, [question]), scope, "extraction", "sim-large", next(_TICKETS))


def again(intent: Intent, operation: str = "") -> Intent:
    """Another try of the same request."""
    scope = replace(intent.scope, operation=operation or intent.scope.operation)
    return replace(intent, scope=scope, ticket=next(_TICKETS))


def ended(intent: Intent, state: State = State.ACCEPTED, result: str = '{"text": "the answer"}') -> Recorded:
    """Its end."""
    return Recorded(intent, state, result, "" if state is State.ACCEPTED else "refusal", 100, 20, 0.004, 412)
