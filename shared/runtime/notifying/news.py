"""Wakes those who wait for something to do."""

import asyncio
from contextlib import suppress


class News:
    """Heard by everybody who waits at that moment; who comes later looks first."""

    def __init__(self) -> None:
        self._told = asyncio.Event()

    def tell(self) -> None:
        """There is something to do."""
        self._told.set()
        self._told = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Return when there is, or after so many seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._told.wait(), seconds)
