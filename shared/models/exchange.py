"""One request to one model and its answer, checked; through the call ledger, where it is paid for only once.

    the ledger has an accepted answer        -> it is used, whoever asked for it
    … a rejected one of the same operation   -> it is rejected again, and not paid again
    else                                     -> noted, sent, checked, recorded

Answers that are no use are rejected: they were given, and may be billed. What a breaker blames on the provider has
failed: nothing was given, and the next try is free to be made.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from typing import Any, Generic, TypeVar

import httpx

from shared.core.context import REUSED, Call, Prompt
from shared.core.failures import Failure
from shared.core.ledger import Intent, Recorded, Scope, State, call_fingerprint
from shared.core.tally import BLAMED
from shared.models.answers import check, cut_off, json_schema, schema_text
from shared.models.forms import USUAL
from shared.models.judging.checked import Checked
from shared.models.registry import Model
from shared.models.transport import send, today
from shared.models.wire import Reply
from shared.pipelines.material import document_in
from shared.ports import Ledger

M = TypeVar("M")

COST = "cost_usd"
"""Name under which a recorded result keeps what it cost: prices change, what was paid does not."""
KNOWN = frozenset(field.name for field in fields(Reply))
"""What is read of a recorded answer."""
PREFIX = "penstock-"
"""Before the ticket of a request, where a provider is told its name."""


@dataclass(frozen=True, slots=True)
class Exchange(Generic[M]):
    """A question with its answer."""

    reply: Reply
    """What came back."""
    checked: Checked[M]
    """What it is worth."""
    milliseconds: int
    """How long it took."""
    cost_usd: float = 0.0
    """US dollars, by the prices of the day on which it was made."""
    reused: bool = False
    """It was found in the ledger."""
    counted: bool = True
    """Tokens and cost belong to the work in hand: nobody else tells of them."""

    def call(self, model: Model, prompt: Prompt) -> Call:
        """What is told of it."""
        failure = self.checked.failure.value if self.checked.failure else ""
        found = f"{REUSED}:{failure}" if failure else REUSED
        used, given = (self.reply.input_tokens, self.reply.output_tokens) if self.counted else (0, 0)
        return Call(
            task=prompt.task,
            provider=model.provider.name,
            model=model.id,
            prompt=prompt.name,
            input_tokens=used,
            output_tokens=given,
            cost_usd=self.cost_usd if self.counted else 0.0,
            milliseconds=self.milliseconds,
            outcome=found if self.reused else failure or "ok",
        )


async def ask_unrecorded(
    client: httpx.AsyncClient, model: Model, prompt: Prompt, schema: type[M], name: str = ""
) -> Exchange[M]:
    """Send it; `name` is what the provider may call it."""
    day = today()
    reply, milliseconds = await send(client, model, prompt, json_schema(schema), name)
    return Exchange(reply, checked(reply, schema, prompt), milliseconds, model.cost(reply.usage, day))


async def ask_recorded(
    client: httpx.AsyncClient,
    ledger: Ledger,
    scope: Scope,
    told: Callable[[Failure | None], None],
    question: tuple[Model, Prompt, type[M]],
) -> Exchange[M]:
    """Find it, or send and record it; `told` learns how a request that was sent has ended, before it is recorded."""
    model, prompt, schema = question
    intent = intent_of(scope, model, prompt, schema)
    begun = await ledger.begin(intent)
    if begun.found is not None:
        return found(begun.found, question, scope)
    exchange = await ask_unrecorded(client, model, prompt, schema, named(intent.ticket))
    told(exchange.checked.failure)
    stands = await ledger.end(record_of(intent, exchange))
    if stands.intent.ticket == intent.ticket:
        return exchange
    # Another process was faster. Its answer is everybody's; ours is paid all the same, and nobody else tells of that.
    other = found(stands, question, scope)
    return exchange if other.checked.value is None else replace(exchange, checked=other.checked)


def intent_of(scope: Scope, model: Model, prompt: Prompt, schema: Any) -> Intent:
    """The request as the ledger knows it: everything that is sent is in its name."""
    # The usual form has no mark of its own: what was recorded before there were others must be found again.
    form = () if model.form is USUAL[model.provider.wire] else (model.form.value,)
    request = (
        model.provider.name,
        model.id,
        str(model.max_output),
        prompt.name,
        str(prompt.sample),
        prompt.system,
        prompt.user,
        schema_text(schema),
        *form,
    )
    name, ticket = call_fingerprint(scope, request), secrets.randbits(63)
    return Intent(name, scope, prompt.task, model.id, ticket, document_type=prompt.document_type)


def named(ticket: int) -> str:
    """What the provider is told that a request is called."""
    return f"{PREFIX}{ticket}"


def record_of(intent: Intent, exchange: Exchange[Any]) -> Recorded:
    """How it ended."""
    reply, failure, usage = exchange.reply, exchange.checked.failure, exchange.reply.usage
    state = State.ACCEPTED if failure is None else State.FAILED if failure in BLAMED else State.REJECTED
    return Recorded(
        intent,
        state,
        json.dumps(kept(reply) | {COST: exchange.cost_usd}),
        failure.value if failure else "",
        usage.input_tokens,
        usage.output_tokens,
        exchange.cost_usd,
        exchange.milliseconds,
        cached_tokens=usage.cached_tokens,
        written_tokens=usage.written_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        unsure=reply.estimated,
    )


def kept(reply: Reply) -> dict[str, Any]:
    """What of a reply is recorded; who answered is for people, and told with the call that was made."""
    return {name: value for name, value in asdict(reply).items() if name != "answered_by"}


def found(record: Recorded, question: tuple[Model, Prompt, type[M]], scope: Scope) -> Exchange[M]:
    """A recorded answer, checked anew: what a reader's own rules no longer accept must not pass for accepted."""
    model, prompt, schema = question
    said = json.loads(record.result)
    cost = said.pop(COST, None)
    failure = Failure(said["failure"]) if said["failure"] else None
    # What a newer release has put beside it is passed over: its answers are good while processes of both are running.
    reply = Reply(**{name: value for name, value in said.items() if name in KNOWN} | {"failure": failure})
    own = record.intent.scope
    counted = (own.operation, own.document_id) == (scope.operation, scope.document_id)
    # What was recorded before costs stood in the result had one price only.
    paid = model.cost(reply.usage, date.min) if cost is None else cost
    return Exchange(reply, checked(reply, schema, prompt), record.milliseconds, paid, reused=True, counted=counted)


def checked(reply: Reply, schema: type[M], prompt: Prompt) -> Checked[M]:
    """What a reply is worth."""
    if reply.failure is Failure.TRUNCATED:
        return cut_off(reply.text, schema)
    if reply.failure:
        return Checked(failure=reply.failure, message=reply.message)
    return check(reply.text, schema, document_in(prompt.user), whole=prompt.whole)
