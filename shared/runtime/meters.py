"""The limits and budgets of a service's models, as they are opened for its life."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

from shared.core.budgets import BudgetPolicy
from shared.core.limits import WindowPolicy
from shared.models.metering import Metering
from shared.observe.metrics import Metrics
from shared.runtime.flow.slots import Slots
from shared.runtime.paying.ledger import CallLedger
from shared.runtime.process import Life
from shared.runtime.watching import CountedLimits
from shared.settings import Settings
from shared.state.budgets import RedisBudgets
from shared.state.limits import RedisLimits
from shared.state.line import WaitPolicy


@dataclass(frozen=True, slots=True)
class Meters:
    """What every call of the process goes by."""

    limits: RedisLimits
    """Requests and tokens per minute."""
    budgets: RedisBudgets | None
    """What may be spent, where that is said."""

    def metering(self, metrics: Metrics) -> Metering:
        """As the models want it, every wait counted."""
        return Metering(CountedLimits(self.limits, metrics), self.budgets)

    def weaker(self) -> dict[str, str]:
        """What does not hold at the moment, and why; empty sentences where all is well."""
        return {"limits": self.limits.health, "budgets": self.budgets.health if self.budgets else ""}


async def open_meters(stack: AsyncExitStack, life: Life, books: CallLedger | None, slots: Slots) -> Meters:
    """Open them; the stack closes them."""
    limits = await stack.enter_async_context(limits_of(life, slots))
    # Nobody is asked about budgets where none is set; and without a ledger nothing that is spent is known.
    budgets = await stack.enter_async_context(budgets_of(life, books)) if books and spends(life.settings) else None
    return Meters(limits, budgets)


def limits_of(life: Life, slots: Slots) -> RedisLimits:
    """This process's member of the limit registry; what waits there has no slot, and is half of them at most."""
    settings = life.settings
    chosen = settings.limits
    waits = WaitPolicy(chosen.patience, max(settings.in_flight // 2, 1), chosen.weights, slots.until)
    policy = WindowPolicy(round(chosen.window * 1000))
    return RedisLimits(settings.redis_url.get_secret_value(), policy, life.instance, waits)


def spends(settings: Settings) -> bool:
    """Whether any budget is set."""
    chosen = settings.budgets
    return any((chosen.document, chosen.tenant, chosen.day, *chosen.tenants.values()))


def budgets_of(life: Life, books: CallLedger) -> RedisBudgets:
    """This process's way to what was spent; the ledger knows it where Redis does not."""
    chosen = life.settings.budgets
    policy = BudgetPolicy(chosen.document, chosen.tenant, chosen.tenants, chosen.day)
    return RedisBudgets(life.settings.redis_url.get_secret_value(), policy, books.spent)
