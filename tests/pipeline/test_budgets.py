"""A tenant's budget of the day is spent: its documents wait, everybody else's go on, and once it is raised all flow."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.pipeline.live.installation import Documents
from tests.pipeline.live.models import settings
from tests.pipeline.live.texts import invoice

MODEL = "sim-budgeted"
CALLS = 5.5
"""What the budget is worth, in calls."""
WAITING = 10
"""Documents of the tenant: more than its budget is worth."""


@pytest.fixture
def told(documents: Documents, tmp_path: Path) -> Iterator[dict[str, str]]:
    """What `analyze` is told so that it asks one model; afterwards it is told nothing again."""
    told = settings(tmp_path, MODEL)
    with documents.instead(told, analyze=1):
        yield told


def budget(tenant: str, dollars: float) -> dict[str, str]:
    """The setting of a tenant's budget."""
    return {"PENSTOCK_BUDGETS__TENANTS": json.dumps({tenant: dollars})}


def waits_for(documents: Documents, dependency: str) -> int:
    """How many records of `analyze` wait for that."""
    [(_, port)] = documents.running["analyze"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    own = [line for line in lines if line.startswith("penstock_records_parked{") and f'"{dependency}"' in line]
    return sum(int(float(line.rpartition(" ")[2])) for line in own)


def spent(documents: Documents, tenant: str) -> float:
    """US dollars that the ledger knows of."""
    with psycopg.connect(documents.parts.database or "") as connection:
        found = connection.execute("select coalesce(sum(cost_usd), 0) from calls where tenant = %s", [tenant])
        return float((found.fetchone() or [0])[0])


def test_a_tenant_whose_budget_is_spent_waits_alone_and_a_killed_process_spends_nothing_twice(
    documents: Documents, told: dict[str, str]
) -> None:
    def given(tenant: str, count: int, kind: str = "") -> list[str]:
        names = [f"{tenant}{kind}-{number}" for number in range(count)]
        documents.publish(invoice(name, tenant=tenant, tasks=["extraction"]) for name in names)
        return names

    def all_wait() -> bool:
        return waits_for(documents, "budget:tenant:thrifty") == WAITING

    [first] = given("sounding", 1)
    price = documents.wait_until_stored([first])[first]["cost_usd"]
    assert price > 0
    cap = CALLS * price
    documents.replace(told | budget("thrifty", cap), {"analyze": 1})
    # Somebody else's call first: from then on what is reserved is what a call costs, and not a guess.
    documents.wait_until_stored(given("generous", 1, "-first"))
    begun = documents.asked(MODEL)
    with documents.fault(fault="slow", model=MODEL):
        names = given("thrifty", WAITING)
        documents.herd.wait_until(
            lambda: waits_for(documents, "budget:tenant:thrifty") > 0 and documents.asked(MODEL) > begun, 30
        )
        [(process, _)] = documents.running["analyze"]
        process.kill()
        process.wait()
    documents.replace(told | budget("thrifty", cap), {"analyze": 1})
    documents.wait_until_stored(given("generous", 3))
    documents.herd.wait_until(all_wait, 30, lambda: f"{waits_for(documents, 'budget:tenant:thrifty')} wait")
    in_flight = documents.asked(MODEL) - begun - 3
    assert 0 < in_flight <= CALLS, "what the killed process had reserved counts as spent"
    assert spent(documents, "thrifty") <= cap
    assert not documents.rows(names)
    documents.replace(told | budget("thrifty", 100 * price), {"analyze": 1})
    documents.wait_until_stored(names)
    assert documents.asked(MODEL) - begun - 3 <= WAITING + in_flight, "only what was in flight at the kill was repeated"
    assert spent(documents, "thrifty") == pytest.approx(WAITING * price, rel=0.1)
    for topic in ("analyze.dlq", "analyze.retry.5s", "analyze.retry.1m", "analyze.retry.10m"):
        assert not documents.read(topic, names), "a budget that is spent costs no attempt and no document"
