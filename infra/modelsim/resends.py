"""Requests that are sent again unchanged after they failed for good: money for the same failure twice."""

import hashlib
import json

from infra.modelsim.faults import Fault
from infra.modelsim.thinking import Question

FOR_GOOD = frozenset(
    {
        Fault.MALFORMED_JSON,
        Fault.UNCLOSED_JSON,
        Fault.SCHEMA_VIOLATION,
        Fault.COPIED_SCHEMA,
        Fault.TRUNCATED,
        Fault.REFUSAL,
        Fault.REFUSAL_IN_FIELD,
        Fault.EMPTY_SHELL,
        Fault.UNGROUNDED,
        Fault.CONTENT_POLICY,
        Fault.TOKEN_LIMIT,
    }
)
"""Faults after which the same request would fail again."""


class Resends:
    """Counts them. A replay is a new operation and may ask again: what replays is to be counted by itself."""

    def __init__(self) -> None:
        self._failed: set[bytes] = set()
        self.count = 0
        """How many there were."""

    def note(self, question: Question, fault: Fault | None) -> None:
        """A request came, and will fail so, or be answered."""
        said = (question.model, question.instructions, question.prompt, json.dumps(question.schema, sort_keys=True))
        name = hashlib.sha256(json.dumps(said).encode("utf-8", "surrogatepass")).digest()
        if name in self._failed:
            self.count += 1
        if fault in FOR_GOOD:
            self._failed.add(name)
