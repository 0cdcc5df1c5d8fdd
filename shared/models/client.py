"""A chain of models, asked in order behind their breakers.

    for each model of the chain
        it hangs, and holds half of the process's slots  -> note it, next model
        no room in its limits soon  -> note it, next model
        breaker closed?  no  -> note it, next model
        call             provider fault        -> note it, next model
                         refusal               -> next model
                         bad JSON, cut off     -> one repair at the same model, then next model
                         content policy        -> failed: another model must not be used to dodge it
                         token limit           -> only models with a larger window are left
    nobody answered      faults that opened the breaker  -> Unavailable: it was the outage, and costs no attempt
                         another provider fault          -> Failed: it heals
                         a breaker was open              -> Unavailable: wait, for that model might have answered
                         else                            -> Failed, as the last model failed

Every request is recorded with what it cost, also where nothing came of it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

import httpx

from shared.core.breaker import BLAMED
from shared.core.context import Answer, Call, Prompt
from shared.core.errors import Failed, Unavailable
from shared.core.failures import Failure
from shared.core.ledger import Scope
from shared.models.answers import REPAIRABLE, repaired
from shared.models.exchange import Exchange, ask_recorded, ask_unrecorded
from shared.models.metering import Metering
from shared.models.registry import Model, Registry
from shared.models.running import RunningCalls
from shared.models.transport import open_client
from shared.ports import Breakers, Ledger, Permit

M = TypeVar("M")

JUDGED_SECONDS = 1.0
"""How long a failed call waits to learn whether it was one of those that open the breaker."""


class ModelFailed(Failed):
    """No model of the chain could answer."""

    def __init__(self, failure: Failure, message: str, after: float | None, calls: tuple[Call, ...]) -> None:
        super().__init__(failure, message, after)
        self.calls = calls
        """Every request that was made: it may have to be paid."""


class ModelUnavailable(Unavailable):
    """A model that could have answered is away, and no other could."""

    def __init__(self, dependency: str, message: str, after: float, calls: tuple[Call, ...]) -> None:
        super().__init__(dependency, message, after)
        self.calls = calls
        """Every request that was made: it may have to be paid."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How asking one model ended without an answer."""

    model: Model
    """The model."""
    failure: Failure | None
    """The failure class; None where its breaker or its limits let nothing through."""
    message: str
    """What failed."""
    after: float | None
    """Seconds until it is worth trying again, as far as anybody said."""
    waits_for: str = ""
    """What has to come back, where it is not the model."""


@dataclass(slots=True)
class Asking:
    """What has happened so far to one question."""

    calls: list[Call] = field(default_factory=list)
    """Requests in order."""
    ended: list[Ended] = field(default_factory=list)
    """Models that gave no answer, in order."""

    def too_small(self, model: Model) -> bool:
        """The question is known not to fit into the model."""
        return any(
            e.failure is Failure.TOKEN_LIMIT and model.context_window <= e.model.context_window for e in self.ended
        )

    @property
    def able(self) -> list[Ended]:
        """What was said of the models into which the question fits."""
        return [e for e in self.ended if not self.too_small(e.model)]

    @property
    def faults(self) -> list[Ended]:
        """Where the provider was at fault, and not the question."""
        return [e for e in self.able if e.failure in BLAMED]

    def verdict(self, *, outage: bool) -> ModelFailed | ModelUnavailable:
        """Why there is no answer. What an outage kept from answering outweighs what others said of the question.

        `outage`: the breakers of all models at fault are open.
        """
        able, calls = self.able, tuple(self.calls)
        if faults := self.faults:
            last = faults[-1]
            if outage:
                return ModelUnavailable(last.model.breaker, last.message, last.after or 1.0, calls)
            return ModelFailed(last.failure or Failure.INTERNAL, last.message, last.after, calls)
        if away := [e for e in able if e.failure is None]:
            first = away[0]
            return ModelUnavailable(first.waits_for or first.model.breaker, first.message, first.after or 1.0, calls)
        last = self.ended[-1]
        return ModelFailed(last.failure or Failure.INTERNAL, last.message, last.after, calls)


@dataclass(frozen=True, slots=True)
class ModelChains:
    """The models of a registry behind their breakers; the `Models` that handlers see."""

    registry: Registry
    """Chains."""
    breakers: Breakers
    """Breakers of all models."""
    http: httpx.AsyncClient
    """The process's one client."""
    ledger: Ledger | None = None
    """Where every request is recorded; None: nowhere, as in a trial on local files."""
    scope: Scope | None = None
    """In whose work it is asked; None: nobody's, and nothing is recorded."""
    running: RunningCalls = field(default_factory=RunningCalls)
    """Who holds how many of the process's slots."""
    metering: Metering = field(default_factory=Metering)
    """What the models' limits leave."""
    unspent: set[tuple[str, str]] = field(default_factory=set)
    """Breaker and operation of probes for which a recorded result was found: the operation's next request is the probe.
    Were they lost, the breaker would stay half-open until the lease ends, and the next record would lose the next one.
    """

    def within(self, scope: Scope | None) -> "ModelChains":
        """The same models, asked in the work on one record."""
        return replace(self, scope=scope)

    async def ask(self, chain: str, prompt: Prompt, schema: type[M]) -> Answer[M]:
        """Ask the chain's models in order. Raises ModelUnavailable or ModelFailed, as the head of this file says."""
        asking = Asking()
        for model in self.metering.ordered(self.registry, chain, (prompt, schema)):
            if asking.too_small(model):
                continue
            value = await self._ask_model(model, prompt, schema, asking)
            if value is not None:
                return Answer(value, tuple(asking.calls))
            if asking.ended[-1].failure is Failure.CONTENT_POLICY:
                break
        # The failures that open a breaker are all of one outage, also those that came before the last one of them.
        outage = all([await self.breakers.opens(e.model.breaker, JUDGED_SECONDS) for e in asking.faults])
        raise asking.verdict(outage=outage)

    async def _ask_model(self, model: Model, prompt: Prompt, schema: type[M], asking: Asking) -> M | None:
        """Ask one model, with one repair; None where it gave no answer, and `asking` says why."""
        exchange = await self._call(model, prompt, schema, asking)
        if exchange is not None and exchange.checked.failure in REPAIRABLE:
            exchange = await self._call(model, repaired(prompt, exchange.checked), schema, asking)
        if exchange is None:
            return None
        checked = exchange.checked
        if checked.value is None:
            asking.ended.append(Ended(model, checked.failure, f"{model.name}: {checked.message}", exchange.reply.after))
        return checked.value

    async def _call(self, model: Model, prompt: Prompt, schema: type[M], asking: Asking) -> Exchange[M] | None:
        """One request within the model's limits; None where it may not be made now."""
        # Before all else: what waits here for its turn must not pass for a call that hangs, nor hold a probe's lease.
        async with self.metering.call(model, (prompt, schema), self.scope) as metered:
            if metered.after is not None:
                waits_for, message = metered.why
                asking.ended.append(Ended(model, None, message, metered.after, waits_for))
                return None
            exchange = await self._permitted(model, prompt, schema, asking)
            metered.took(exchange)
            return exchange

    async def _permitted(self, model: Model, prompt: Prompt, schema: type[M], asking: Asking) -> Exchange[M] | None:
        """One request, or its recorded result, noted with what it cost; None where it may not be made now."""
        # This comes first: a probe that was leased and then not made would keep everybody else from trying.
        number = self.running.enter(model.breaker)
        if number is None:
            asking.ended.append(Ended(model, None, f"{model.breaker}: its calls hang, and hold half of the slots", 1.0))
            return None
        answered = False
        try:
            permit = await self._permit(model)
            if not permit.allowed:
                asking.ended.append(Ended(model, None, f"{model.breaker}: its breaker is open", permit.after))
                return None
            exchange = await self._exchange(model, prompt, schema)
            if permit.probe and exchange.reused and self.scope:
                self.unspent.add((model.breaker, self.scope.operation))
            answered = not exchange.reused and exchange.checked.failure is not Failure.TIMEOUT
        finally:
            self.running.leave(model.breaker, number, answered=answered)
        asking.calls.append(exchange.call(model, prompt))
        return exchange

    async def _permit(self, model: Model) -> Permit:
        """May the model be asked?"""
        mine = (model.breaker, self.scope.operation if self.scope else "")
        if mine in self.unspent:
            self.unspent.discard(mine)
            return Permit(allowed=True, probe=True)
        return await self.breakers.ask(model.breaker)

    async def _exchange(self, model: Model, prompt: Prompt, schema: type[M]) -> Exchange[M]:
        if self.ledger is None or self.scope is None or not model.paid:
            exchange = await ask_unrecorded(self.http, model, prompt, schema)
            self.breakers.record(model.breaker, exchange.checked.failure)
            return exchange
        told = partial(self.breakers.record, model.breaker)
        return await ask_recorded(self.http, self.ledger, self.scope, told, (model, prompt, schema))


@asynccontextmanager
async def open_models(
    registry: Registry,
    breakers: Breakers,
    ledger: Ledger | None = None,
    running: RunningCalls | None = None,
    metering: Metering | None = None,
) -> AsyncIterator[ModelChains]:
    """The models of a process, for its life."""
    async with open_client() as http:
        chains = ModelChains(registry, breakers, http, ledger, running=running or RunningCalls())
        yield replace(chains, metering=metering or chains.metering)
