"""A chain of models, asked in order behind their breakers, as the pipeline's remedies say.

    for each model of the chain that was not silent in this work before
        too long for it, as far as one can know        -> note it, next model; nothing is sent
        it hangs, and holds half of the process's slots  -> note it, next model
        no room in its limits soon  -> note it, next model
        breaker closed?  no  -> note it, next model
        call             provider fault        -> note it, next model
                         remedy `repair`, or an answer in doubt
                                               -> the same model once more, with something changed (`judging.tries`)
                         `fallback`            -> next model
                         token limit           -> only models with a larger window are left
                         `review` or `dead`    -> failed: another model must not be used to dodge it
    with `fallback = "wait"` a provider's fault and an open breaker end the round: the question waits for that model
    nobody answered      faults that opened the breaker  -> Unavailable: it was the outage, and costs no attempt
                         another provider fault          -> Failed: it heals
                         a breaker was open              -> Unavailable: wait, for that model might have answered
                         else                            -> Failed, as the last model failed

Every request is recorded with what it cost, also where nothing came of it.
"""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import httpx

from shared.core.asking import ModelFailed, ModelUnavailable
from shared.core.context import Answer, Outlook, Prompt
from shared.core.failures import Failure, Remedy
from shared.core.ledger import Scope
from shared.core.remedies import Fallback
from shared.core.tokens import rough
from shared.models.answers import joined
from shared.models.exchange import Exchange, ask_recorded, ask_unrecorded
from shared.models.judging.checked import Checked
from shared.models.judging.tries import Tried, best_of, following
from shared.models.metering import Metering, length
from shared.models.questions import Asking, ChainPolicy, Ended
from shared.models.registry import Model, Registry
from shared.models.routes import SILENT, SilentRoutes, Windows
from shared.models.running import RunningCalls
from shared.models.transport import open_client
from shared.ports import Breakers, Ledger, Permit

__all__ = ["ModelChains", "ModelFailed", "ModelUnavailable", "open_models"]

M = TypeVar("M")

JUDGED_SECONDS = 1.0
"""How long a failed call waits to learn whether it was one of those that open the breaker."""

HOPE = 0.5
"""Share of its estimated tokens that a question may really have: the largest window is tried where that would fit."""


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
    policy: ChainPolicy = field(default_factory=ChainPolicy)
    """What the pipeline says about failures."""
    silent: SilentRoutes = field(default_factory=SilentRoutes)
    """Who gave no sign in which work."""
    windows: Windows = field(default_factory=Windows)
    """How long a question may be for whom."""
    metering: Metering = field(default_factory=Metering)
    """What the models' limits leave."""
    told: Callable[[Model, Prompt, Exchange[Any]], None] = field(default=lambda *_: None)
    """Told of each request that has ended, made or found."""
    unspent: set[tuple[str, str]] = field(default_factory=set)
    """Breaker and operation of probes for which a recorded result was found: the operation's next request is the probe.
    Were they lost, the breaker would stay half-open until the lease ends, and the next record would lose the next one.
    """

    def within(self, scope: Scope | None) -> "ModelChains":
        """The same models, asked in the work on one record."""
        return replace(self, scope=scope)

    def outlook(self, chain: str, prompt: Prompt, schema: type[Any], *, besides: Collection[str] = ()) -> Outlook:
        """Which models the chain has, and whether the question fits into them."""
        known = self.registry.chain(chain) if self.registry.knows(chain) else ()
        models = tuple(model for model in known if model.id not in besides)
        operation = self._moves_on_in
        left = models if operation is None else self.silent.left(operation, models)
        roughly = length((prompt, schema))
        beside = roughly - rough(prompt.user)
        return Outlook(
            tuple(model.id for model in left),
            any(self.windows.fits(model, roughly) for model in models),
            max((self.windows.room(model) - beside for model in models), default=0),
            splits=self.policy.remedies.of(Failure.TOKEN_LIMIT) is Remedy.SPLIT,
            waits=self.policy.fallback is Fallback.WAIT,
        )

    async def ask(self, chain: str, prompt: Prompt, schema: type[M], *, besides: Collection[str] = ()) -> Answer[M]:
        """Ask the chain's models in order. Raises ModelUnavailable or ModelFailed, as the head of this file says."""
        asking, roughly = Asking(self.policy), length((prompt, schema))
        models = self._route(chain, (prompt, schema), besides)
        if not models:
            raise ModelFailed(Failure.MODEL_UNKNOWN, f"chain {chain}: it has no other models than {', '.join(besides)}")
        hope = self._hope(models, roughly)
        for model in models:
            if not self.windows.fits(model, roughly) and model is not hope:
                asking.ended.append(self._too_long(model, roughly))
                continue
            if asking.too_small(model):
                continue
            best = await self._ask_model(model, prompt, schema, asking)
            if best is not None and best.value is not None:
                return Answer(best.value, tuple(asking.calls), best.quality)
            if not asking.goes_on:
                break
        # The failures that open a breaker are all of one outage, also those that came before the last one of them.
        outage = all([await self.breakers.opens(e.model.breaker, JUDGED_SECONDS) for e in asking.faults])
        raise asking.verdict(outage=outage)

    def _route(self, chain: str, question: tuple[Prompt, type[Any]], besides: Collection[str]) -> tuple[Model, ...]:
        """The models to be asked, in order."""
        ordered = self.metering.ordered(self.registry, chain, question)
        models = tuple(model for model in ordered if model.id not in besides)
        operation = self._moves_on_in
        return models if operation is None else self.silent.route(operation, models)

    @property
    def _moves_on_in(self) -> str | None:
        """The work in which a silent model is passed over; None where there is none, or the pipeline waits for it."""
        return None if self.scope is None or self.policy.fallback is Fallback.WAIT else self.scope.operation

    def _hope(self, models: tuple[Model, ...], roughly: int) -> Model | None:
        """The model that is tried though the question seems too long for all: an estimate must not be the last word."""
        if any(self.windows.fits(model, roughly) for model in models):
            return None
        largest = max(models, key=lambda model: model.context_window)
        return largest if self.windows.fits(largest, roughly, HOPE) else None

    def _too_long(self, model: Model, roughly: int) -> Ended:
        return Ended(
            model,
            Failure.TOKEN_LIMIT,
            f"{model.name}: up to {self.windows.tokens(model, roughly)} tokens, and its window of"
            f" {model.context_window} must hold {model.max_output} of the answer: ask in parts, or add a larger model",
            estimated=True,
        )

    async def _ask_model(self, model: Model, prompt: Prompt, schema: type[M], asking: Asking) -> Checked[M] | None:
        """Ask one model, again where that may help; None where it gave no answer, and `asking` says why."""
        tried: list[Tried[M]] = []
        ended: Ended | None = None
        repairable = self.policy.remedies.under(Remedy.REPAIR)
        quality = self.policy.quality.of(prompt.document_type, model.id)
        while (asked := following(quality, prompt, tried, repairable)) is not None:
            exchange = await self._call(model, asked, schema, asking)
            if exchange is None:
                if ended is not None:
                    asking.kept_back(ended)
                return best_of(tried)
            checked = exchange.checked
            if tried:
                checked = joined(tried[-1].checked, checked, schema, prompt)
            tried.append(Tried(asked, checked, asking.calls[-1].cost_usd))
            ended = Ended(model, checked.failure, f"{model.name}: {checked.message}", exchange.reply.after)
            if not model.paid:  # the rules of this process say the same to every wording
                break
        if (best := best_of(tried)) is None and ended is not None:
            asking.ended.append(ended)
        return best

    async def _call(self, model: Model, prompt: Prompt, schema: type[M], asking: Asking) -> Exchange[M] | None:
        """One request within the model's limits; None where it may not be made now."""
        # Before all else: what waits here for its turn must not pass for a call that hangs, nor hold a probe's lease.
        async with self.metering.call(model, (prompt, schema), self.scope) as metered:
            if metered.after is not None:
                waits_for, message = metered.why
                asking.ended.append(Ended(model, None, message, metered.after, waits_for=waits_for))
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
                asking.ended.append(Ended(model, None, f"{model.breaker}: its breaker keeps it back", permit.after))
                return None
            exchange = await self._exchange(model, prompt, schema, permit)
            if permit.probe and exchange.reused and self.scope:
                self.unspent.add((model.breaker, self.scope.operation))
            answered = not exchange.reused and exchange.checked.failure is not Failure.TIMEOUT
            self._learn(model, length((prompt, schema)), exchange)
        finally:
            self.running.leave(model.breaker, number, answered=answered)
        asking.calls.append(exchange.call(model, prompt))
        self.told(model, prompt, exchange)
        return exchange

    def _learn(self, model: Model, roughly: int, exchange: Exchange[Any]) -> None:
        """What a request taught about its model."""
        if exchange.checked.failure in SILENT and self.scope:
            self.silent.note(self.scope.operation, model)
        if exchange.checked.failure is Failure.TOKEN_LIMIT:
            self.windows.refused(model, roughly)
        elif not exchange.reused:
            self.windows.learn(model, roughly, exchange.reply.input_tokens)

    async def _permit(self, model: Model) -> Permit:
        """May the model be asked?"""
        mine = (model.breaker, self.scope.operation if self.scope else "")
        if mine in self.unspent:
            self.unspent.discard(mine)
            return Permit(allowed=True, probe=True)
        return await self.breakers.ask(model.breaker)

    async def _exchange(self, model: Model, prompt: Prompt, schema: type[M], permit: Permit) -> Exchange[M]:
        told = partial(self.breakers.record, model.breaker, number=permit.number)
        try:
            if self.ledger is None or self.scope is None or not model.paid:
                exchange = await ask_unrecorded(self.http, model, prompt, schema)
                told(exchange.checked.failure)
                return exchange
            return await ask_recorded(self.http, self.ledger, self.scope, told, (model, prompt, schema))
        finally:
            # Found in the ledger, or cancelled: nobody will tell how it ended.
            self.breakers.leave(model.breaker, permit.number)


@asynccontextmanager
async def open_models(
    registry: Registry,
    breakers: Breakers,
    ledger: Ledger | None = None,
    running: RunningCalls | None = None,
    policy: ChainPolicy | None = None,
    metering: Metering | None = None,
) -> AsyncIterator[ModelChains]:
    """The models of a process, for its life."""
    async with open_client() as http:
        chains = ModelChains(registry, breakers, http, ledger, running=running or RunningCalls())
        yield replace(chains, policy=policy or chains.policy, metering=metering or chains.metering)
