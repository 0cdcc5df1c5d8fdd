"""The limits and budgets around one call: room is reserved before it, and what it used is told after it."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from shared.core.budgets import Budget
from shared.core.choosing import Offer, cheapest_first
from shared.core.context import Prompt
from shared.core.estimates import Estimates
from shared.core.failures import PROVIDERS, Failure
from shared.core.ledger import Scope
from shared.core.tokens import rough
from shared.core.usage import Usage
from shared.limit_port import Budgets, Limits, Reserved, Turn, Used
from shared.models.answers import schema_text
from shared.models.exchange import Exchange
from shared.models.registry import Model, Registry
from shared.models.transport import today

HOLD_SECONDS = 1.0
"""How long nobody asks a model whose provider refuses for the pace, again and again, and does not say for how long."""
FRAMING = 64
"""Rough tokens that a provider adds to a question: roles, marks, the form."""
SOON_SECONDS = 1.0
"""When to look again at a budget of which calls in flight hold a part."""


@dataclass(slots=True)
class Metered:
    """One call on its way."""

    reserved: Reserved
    """What the limit said."""
    exchange: Exchange[Any] | None = None
    """What came of it; None where it was not made."""
    unknown: bool = True
    """Nobody can tell whether it was made."""
    exceeded: Budget | None = None
    """The budget that it would exceed."""
    soon: bool = False
    """There may be room in that budget as soon as calls in flight have ended."""

    @property
    def after(self) -> float | None:
        """Seconds until it is worth asking again; None: it may be made."""
        if self.exceeded is None:
            return self.reserved.after
        return SOON_SECONDS if self.soon else self.exceeded.after(datetime.now(UTC))

    @property
    def why(self) -> tuple[str, str]:
        """What a call that may not be made waits for, and a sentence on it."""
        if self.exceeded:
            return self.exceeded.dependency, self.exceeded.message
        limit = self.reserved.turn.limit
        return limit, f"{limit}: its limits are used up"

    def took(self, exchange: Exchange[Any] | None) -> None:
        """This came of it."""
        self.exchange, self.unknown = exchange, False

    def used(self, estimated: tuple[int, int]) -> Used | None:
        """What it has used, now that it has ended; None where it was not made."""
        if self.after is not None:
            return None
        if self.unknown:
            return Used(*estimated, 0)
        if self.exchange is None or self.exchange.reused:
            return None
        reply, milliseconds = self.exchange.reply, self.exchange.milliseconds
        if self.exchange.checked.failure is Failure.RATE_LIMITED:
            return Used(0, 0, milliseconds)
        # A provider that does not count, or an answer that was lost on its way: the estimate is all that there is.
        counted = (reply.input_tokens, reply.output_tokens)
        return Used(*(counted if any(counted) else estimated), milliseconds)

    def spent(self, model: Model, estimated: tuple[int, int]) -> float:
        """US dollars that it has cost, or may have."""
        if (used := self.used(estimated)) is None:
            return 0.0
        if self.exchange is not None and any((self.exchange.reply.input_tokens, self.exchange.reply.output_tokens)):
            return self.exchange.cost_usd
        return _price(model, used.input_tokens, used.output_tokens)


@dataclass(slots=True)
class Metering:
    """Every call of a process goes through it."""

    limits: Limits | None = None
    """The limits; None: there are none, as in a trial on local files."""
    budgets: Budgets | None = None
    """The budgets; None: nobody counts."""
    estimates: dict[str, Estimates] = field(default_factory=lambda: defaultdict(Estimates))
    """What was learned of each model."""
    unexplained: set[str] = field(default_factory=set)
    """Limits whose last answer was a refusal that did not say when to come again."""

    def ordered(self, registry: Registry, chain: str, question: tuple[Prompt, Any]) -> Sequence[Model]:
        """The models of a chain in the order in which they are to be asked. Raises Misconfigured."""
        models, wish = registry.chain(chain), registry.wishes.get(chain)
        if wish is None:
            return models
        by_name = {model.name: model for model in models}
        return [by_name[name] for name in cheapest_first([self._offer(model, question) for model in models], wish)]

    def _offer(self, model: Model, question: tuple[Prompt, Any]) -> Offer:
        asked, answered = self._estimate(model, question)
        cost, window, seconds = _price(model, asked, answered), model.context_window, self.estimates[model.name].seconds
        return Offer(model.name, cost, asked + answered, window, model.quality, seconds)

    @asynccontextmanager
    async def call(self, model: Model, question: tuple[Prompt, Any], scope: Scope | None) -> AsyncIterator[Metered]:
        """Reserve, and settle whatever becomes of it. `question`: the prompt, and the answer's schema."""
        if self.budgets is None or scope is None or not model.paid:
            async with self._limited(model, question, scope) as metered:
                yield metered
            return
        asked, answered = self._estimate(model, question)
        spending = await self.budgets.reserve(scope, _price(model, asked, answered))
        if spending.exceeded:
            nothing = Reserved(Turn(model.breaker, model.limit, 0))
            yield Metered(nothing, exceeded=spending.exceeded, soon=spending.soon)
            return
        spent = 0.0
        try:
            async with self._limited(model, question, scope) as metered:
                try:
                    yield metered
                finally:
                    spent = metered.spent(model, (asked, answered))
        finally:
            await self.budgets.settle(spending, spent)

    def _estimate(self, model: Model, question: tuple[Prompt, Any]) -> tuple[int, int]:
        """Tokens of question and answer."""
        known = self.estimates[model.name]
        return known.question(length(question)), known.answer(question[0].task, model.max_output)

    @asynccontextmanager
    async def _limited(self, model: Model, question: tuple[Prompt, Any], scope: Scope | None) -> AsyncIterator[Metered]:
        if self.limits is None or not model.paid:
            yield Metered(Reserved(Turn(model.breaker, model.limit, 0)))
            return
        known, tokens = self.estimates[model.name], self._estimate(model, question)
        turn = Turn(model.breaker, model.limit, sum(tokens), scope.tenant if scope else "", _price(model, *tokens))
        metered = Metered(await self.limits.reserve(turn))
        if metered.after is not None:
            yield metered
            return
        try:
            yield metered
        finally:
            # What may have been sent counts as it was estimated: a provider counts what nobody waits for, too.
            self.limits.settle(metered.reserved, metered.used(tokens))
            if metered.exchange is not None and not metered.exchange.reused:
                reply = metered.exchange.reply
                hold = self._hold(turn.limit, metered.exchange)
                known.learn(length(question), question[0].task, reply.input_tokens, reply.output_tokens)
                known.took(metered.exchange.milliseconds / 1000)
                if hold > 0:
                    self.limits.hold(turn, hold)

    def _hold(self, limit: str, exchange: Exchange[Any]) -> float:
        """Seconds for which the provider wants no call of this limit.

        What it says is obeyed by all processes. Where it says nothing, one refusal is no reason to stop them all: it
        may be chance, and with one in twenty so answered a model would stand still for ever. A second in a row is.
        """
        failure, reply = exchange.checked.failure, exchange.reply
        if failure not in PROVIDERS:
            self.unexplained.discard(limit)
        if failure is not Failure.RATE_LIMITED:
            return reply.hold
        if said := reply.after or reply.hold:
            return said
        first = limit not in self.unexplained
        self.unexplained.add(limit)
        return 0.0 if first else HOLD_SECONDS


def length(question: tuple[Prompt, Any]) -> int:
    """Rough tokens of a question as it is sent, whatever its form."""
    prompt, schema = question
    return rough(prompt.system) + rough(prompt.user) + rough(schema_text(schema)) + FRAMING


def _price(model: Model, asked: int, answered: int) -> float:
    """US dollars that so many tokens cost today, where nothing is cached."""
    return model.cost(Usage(asked, answered), today())
