"""The simulated provider as a process of its own, and its orders to fail."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from infra.modelsim.faults import Faults, Order
from tests.models.world import World


@pytest.fixture
def process() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`python -m infra.modelsim` on a free port, and its address."""
    environment = {**os.environ, "PENSTOCK_MODELSIM_PORT": "0", "PENSTOCK_MODELSIM_LATENCY_MS": "0"}
    command = [sys.executable, "-m", "infra.modelsim"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        try:
            yield running, running.stdout.readline().split()[-1]
        finally:
            running.kill()


def test_it_says_its_address_is_healthy_and_ends_in_good_order(process: tuple[subprocess.Popen[str], str]) -> None:
    running, address = process
    for path in ("/health/live", "/health/ready"):
        assert httpx.get(address + path).status_code == 200
    running.send_signal(signal.SIGTERM)
    assert running.wait(10) == 0


def test_a_port_that_is_taken_is_said_with_the_remedy(process: tuple[subprocess.Popen[str], str]) -> None:
    port = process[1].rsplit(":", 1)[1]
    environment = {**os.environ, "PENSTOCK_MODELSIM_PORT": port}
    command = [sys.executable, "-m", "infra.modelsim"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert "choose another PENSTOCK_MODELSIM_PORT" in ended.stderr


async def test_orders_are_posted_shown_and_taken_back(world: World) -> None:
    async with httpx.AsyncClient(base_url=world.address) as client:
        posted = await client.post("/faults", json={"model": "sim-large", "fault": "hang", "times": 2})
        assert posted.json()[0]["times"] == 2
        assert (await client.get("/faults")).json() == posted.json()
        again = await client.put("/faults", json={"fault": "slow", "share": 0.5})
        assert [order["fault"] for order in again.json()] == ["slow"], "in the place of all"
        assert (await client.delete("/faults")).json() == []
        refused = await client.post("/faults", json={"fault": "hangs"})
        assert refused.status_code == 400
        assert "fault = 'hangs'" in refused.json()["error"]


async def test_a_request_that_is_none_and_a_model_that_is_none_are_refused(world: World) -> None:
    async with httpx.AsyncClient(base_url=world.address) as client:
        assert (await client.post("/v1/chat/completions", content=b"{")).status_code == 400
        assert (await client.post("/v1/messages", json={"messages": 3})).status_code == 400
        body = {"model": "gpt-9", "messages": [{"role": "user", "content": "x"}]}
        assert (await client.post("/v1/chat/completions", json=body)).status_code == 404


@pytest.mark.parametrize(("share", "failing"), [(1.0, 20), (0.5, 10), (0.25, 5), (0.1, 2)])
def test_a_share_of_calls_fails_exactly(share: float, failing: int) -> None:
    faults = Faults()
    faults.add(Order.model_validate({"fault": "server_error", "share": share}))
    assert sum(faults.draw("sim-large", "") is not None for _ in range(20)) == failing


def test_an_order_for_one_model_and_so_many_times_touches_no_other_call() -> None:
    faults = Faults()
    faults.add(Order.model_validate({"model": "sim-small", "fault": "auth", "times": 1, "match": "ACME"}))
    assert faults.draw("sim-large", "ACME") is None
    assert faults.draw("sim-small", "another") is None
    assert faults.draw("sim-small", "of ACME") is not None
    assert faults.draw("sim-small", "of ACME") is None
    assert faults.orders == []


async def test_it_keeps_a_record_of_when_calls_came_and_were_answered_or_left(world: World) -> None:
    asked = {"model": "sim-large", "messages": [{"role": "user", "content": "a document"}]}
    async with httpx.AsyncClient(base_url=world.address) as client:
        world.sim.latency = 0.0
        assert (await client.post("/v1/chat/completions", json=asked)).status_code == 200
        world.sim.latency = 60.0
        with pytest.raises(httpx.ReadTimeout):
            await client.post("/v1/chat/completions", json=asked, timeout=0.2)
        async with asyncio.timeout(10):
            while not all(call["ended"] for call in (await client.get("/calls")).json()):
                continue
        answered, left = (await client.get("/calls")).json()
    assert (answered["document"], answered["left"], left["left"]) == ("a document", False, True)
    assert left["began"] <= left["ended"] < left["began"] + 10
