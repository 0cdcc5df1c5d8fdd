"""Whether a stage may begin records at all: shut, in each of its processes, while an operator has it paused.

The word stands in the breaker registry, which all processes share, and which every process keeps a copy of: so a pause
reaches them within moments wherever they run, and holds for those that start later, too. While the registry is away a
process stays as it was told last.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from shared.ports import BreakerState

LOOK_SECONDS = 0.1
"""How often the copy is looked at: a look costs a dictionary, no message."""
UNKNOWN = "no Redis is known to this process: `penstock pause` does not reach it; set PENSTOCK_REDIS_URL"


class Registry(Protocol):
    """What is known here of all breakers."""

    @property
    def health(self) -> str:
        """What is weaker, in one sentence; empty while all is well."""
        ...

    @property
    def states(self) -> Mapping[str, BreakerState]:
        """Name to state, from the local copy."""
        ...


@dataclass
class Gate:
    """One process's gate."""

    name: str = ""
    """What the pause is called in the registry."""
    registry: Registry | None = None
    """The registry, where one is known."""
    shut: bool = False
    """Nothing may be begun; what runs may end."""

    def look(self) -> None:
        """See whether the stage is paused."""
        self.shut = self.registry is not None and self.registry.states.get(self.name) is BreakerState.OPEN

    async def watch(self) -> None:
        """Look again for ever."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)

    def weaker(self) -> dict[str, str]:
        """What does not hold at the moment, and why."""
        if self.registry is None:
            return {"pauses": UNKNOWN}
        trouble = self.registry.health
        return {"pauses": f"`penstock pause` and `resume` do not reach this process: {trouble}"} if trouble else {}
