"""An open door for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.ingest.world import World, opened


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """The door with small limits, and everything behind it."""
    async with opened() as open_door:
        yield open_door
