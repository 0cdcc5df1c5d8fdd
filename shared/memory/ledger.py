"""The call ledger in memory: the rules themselves, and nothing that outlives the process."""

from shared.core import ledger as rules
from shared.core.ledger import Begun, Intent, Recorded, Row


class MemoryLedger:
    """`Ledger` of one process."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        """What is known of each request, by fingerprint."""

    async def begin(self, intent: Intent) -> Begun:
        """Look up a result, and note the intent where there is none."""
        self.rows[intent.fingerprint], begun = rules.begin(self.rows.get(intent.fingerprint), intent)
        return begun

    async def end(self, record: Recorded) -> Recorded:
        """Keep a result; gives the one to be used."""
        name = record.intent.fingerprint
        self.rows[name], stands = rules.end(self.rows.get(name), record)
        return stands
