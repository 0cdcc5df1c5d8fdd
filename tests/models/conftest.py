"""A simulated provider of each test's own, over real HTTP on the loopback, and the breakers in their plainest form."""

from collections.abc import AsyncIterator

import pytest

from infra.modelsim.app import ModelSim
from infra.modelsim.server import serving
from tests.models.world import World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A provider that answers at once, and a registry in which only it is configured."""
    sim = ModelSim(latency=0.0)
    async with serving(sim) as address:
        yield World(sim, address)
