"""What the models need to know of limits and budgets; both are shared by all processes, and kept in `shared.state`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from shared.core.budgets import Budget
from shared.core.ledger import Scope
from shared.core.limits import Pair


@dataclass(frozen=True, slots=True)
class Turn:
    """A call that wants to be made, as its limit sees it."""

    limit: str
    """The limit's name, such as `model:sim-large`."""
    most: Pair
    """Requests and tokens per minute, for all processes together; 0: none."""
    tokens: int
    """Estimate for question and answer together."""
    tenant: str = ""
    """On whose account."""
    cost: float = 0.0
    """Estimate in US dollars: tenants take turns by it."""


@dataclass(frozen=True, slots=True)
class Reserved:
    """A limit's answer to a call that wants to be made."""

    turn: Turn
    """The call."""
    tokens: int = 0
    """What is reserved for it."""
    after: float | None = None
    """Seconds until it is worth asking again; None: go ahead, and settle it whatever becomes of it."""


@dataclass(frozen=True, slots=True)
class Used:
    """What a call that was made has used."""

    input_tokens: int
    """Tokens of the question, which the provider counts when it begins."""
    output_tokens: int
    """Tokens of the answer, which the provider counts when it has ended."""
    milliseconds: int
    """How long ago it began."""


@dataclass(frozen=True, slots=True)
class LimitReport:
    """How one limit stands, as one process knows it; what the others used, only they can tell."""

    name: str
    """The limit."""
    most: Pair
    """Requests and tokens in a window, for all processes together; 0: none."""
    reserved: Pair
    """What this process's calls in flight have reserved."""
    used: Pair
    """What its calls have used in the window that ends now."""
    waiting: int
    """Its calls that wait for room."""
    workers: int
    """Processes that share the limit."""


class Limits(Protocol):
    """Requests and tokens per minute, for all processes together."""

    async def reserve(self, turn: Turn) -> Reserved:
        """Wait for room, at most some seconds; what would have to wait longer is told so at once."""
        ...

    def settle(self, reserved: Reserved, used: Used | None) -> None:
        """The call ended; None where it was not made."""
        ...

    def hold(self, turn: Turn, seconds: float) -> None:
        """The provider wants no call for so long: nobody makes one."""
        ...


@dataclass(frozen=True, slots=True)
class Spending:
    """What was reserved of budgets for one call, or which of them it would exceed."""

    reserved: Mapping[str, float]
    """Key of a budget to US dollars."""
    exceeded: Budget | None = None
    """The first budget that it would exceed; then nothing is reserved."""
    soon: bool = False
    """Calls in flight hold some of that budget: when they have cost less than was reserved for them, it may fit."""


class Budgets(Protocol):
    """US dollars that may be spent for a document, by a tenant and in all, in a day."""

    async def reserve(self, scope: Scope, cost: float) -> Spending:
        """Take so much of each budget that the work falls under."""
        ...

    async def settle(self, spending: Spending, cost: float) -> None:
        """The call cost so much; 0 where it was not made."""
        ...
