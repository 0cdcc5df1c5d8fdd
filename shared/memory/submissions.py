"""Submissions in memory."""

from collections.abc import Sequence

from shared.ports import Submitted


class MemorySubmissions:
    """`Submissions` of one pipeline."""

    def __init__(self) -> None:
        self._newest: dict[str, Submitted] = {}

    async def find(self, document_id: str) -> Submitted | None:
        """The newest accepted submission of the document."""
        return self._newest.get(document_id)

    async def accept(self, submission: Submitted) -> None:
        """Note it unless one as new is noted."""
        known = self._newest.get(submission.document_id)
        if known is None or known.version < submission.version:
            self._newest[submission.document_id] = submission

    async def batch(self, batch_id: str, limit: int = 1000) -> Sequence[Submitted]:
        """What was accepted under a batch, oldest first."""
        found = [submission for submission in self._newest.values() if submission.batch_id == batch_id]
        return sorted(found, key=lambda submission: (submission.submitted_at, submission.document_id))[:limit]
