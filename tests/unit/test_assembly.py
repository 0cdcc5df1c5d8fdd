"""How settings become the limits of a process."""

import pytest

from shared.core.errors import Misconfigured
from shared.runtime.assembly import policy_of
from shared.runtime.engine import EnginePolicy
from shared.settings import load


def test_what_is_in_flight_by_default_leaves_every_other_limit_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PENSTOCK_IN_FLIGHT", raising=False)
    assert policy_of(load()) == EnginePolicy()


def test_more_in_flight_takes_up_twice_as_many_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_IN_FLIGHT", "1000")
    policy = policy_of(load())
    assert (policy.in_flight, policy.buffer) == (1000, 2000)


@pytest.mark.parametrize("wrong", ["0", "-1", "many", "10001"])
def test_what_cannot_be_in_flight_is_refused_with_its_name(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("PENSTOCK_IN_FLIGHT", wrong)
    with pytest.raises(Misconfigured, match="in_flight"):
        load()
