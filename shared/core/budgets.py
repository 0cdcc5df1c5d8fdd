"""Budgets in US dollars: for a document, for a tenant's day, and for everybody's day. At the cap work waits.

A day begins at midnight UTC. A budget that is not set is none; a document's is for ever, so that more work on it waits
until somebody allows more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from shared.core.failures import Failure
from shared.core.ledger import Scope

LOOK_SECONDS = 60.0
"""When it is worth looking whether a budget was raised."""


@dataclass(frozen=True, slots=True)
class BudgetPolicy:
    """What may be spent; 0: as much as is wanted."""

    document: float = 0.0
    """US dollars for one document, over all its calls."""
    tenant: float = 0.0
    """US dollars a day for a tenant who is not named in `tenants`."""
    tenants: Mapping[str, float] = field(default_factory=dict)
    """Tenant to US dollars a day."""
    day: float = 0.0
    """US dollars a day for all together."""


@dataclass(frozen=True, slots=True)
class Budget:
    """One budget that a call falls under."""

    kind: str
    """`document`, `tenant` or `day`."""
    name: str
    """Which document or tenant; empty for all together."""
    cap: float
    """US dollars."""
    since: datetime | None
    """Spending before this does not count; None: all counts."""
    pipeline: str = ""
    """Whose document it is."""

    @property
    def key(self) -> str:
        """Its name among all budgets."""
        return ":".join((self.kind, f"{self.since:%Y-%m-%d}" if self.since else self.pipeline, self.name))

    @property
    def dependency(self) -> str:
        """What work waits for: those who wait for one tenant's budget do not stand behind those of another's."""
        return f"budget:{self.kind}" + (f":{self.name}" if self.kind == "tenant" else "")

    @property
    def message(self) -> str:
        """Why work waits, and what to do."""
        whose = {"document": "this document's", "tenant": f"tenant {self.name}'s", "day": "the day's"}[self.kind]
        return f"{Failure.BUDGET_EXCEEDED}: {whose} budget of ${self.cap:g} is spent: raise it under [budgets], or wait"

    def after(self, now: datetime) -> float:
        """Seconds until it is worth looking again."""
        if self.since is None:
            return LOOK_SECONDS
        return min(max((self.since + timedelta(days=1) - now).total_seconds(), 1.0), LOOK_SECONDS)


def budgets_of(policy: BudgetPolicy, scope: Scope, now: datetime) -> tuple[Budget, ...]:
    """The budgets that a call in this work falls under; `now` in UTC."""
    midnight = datetime.combine(now.date(), time(), now.tzinfo)
    tenant = policy.tenants.get(scope.tenant, policy.tenant)
    found = (
        Budget("document", scope.document_id, policy.document, None, scope.pipeline),
        Budget("tenant", scope.tenant, tenant, midnight),
        Budget("day", "", policy.day, midnight),
    )
    return tuple(one for one in found if one.cap > 0 and (one.name or one.kind == "day"))
