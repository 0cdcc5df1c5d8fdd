"""The simulated provider over HTTP: two wire formats, faults on command, a bill.

POST /v1/chat/completions, /v1/messages   GET /bill (?items: call by call), /calls
GET, POST, DELETE /faults, /limits        GET /health/{live,ready}
PUT /faults: this order in the place of all, with no call between that succeeds
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.modelsim.bill import Bill, SimModel, find, tokens
from infra.modelsim.faults import BROKEN, SILENT, Fault, Faults, Order
from infra.modelsim.limits import Accounts, Limit
from infra.modelsim.resends import Resends
from infra.modelsim.scripts import played
from infra.modelsim.sending import CutResponse, StreamResponse, until_given_up
from infra.modelsim.shapes import ERRORS, AnthropicShape, OpenAIShape, Refused, Said, Shape, too_long
from infra.modelsim.thinking import BENDINGS, Question, think, written
from infra.modelsim.visits import Visit, Visits, attended
from shared.core.usage import Usage

B = TypeVar("B", bound=BaseModel)

REQUEST_ID = "x-client-request-id"
"""Header by which a client names its call."""

SLOWDOWN = 20
"""How many times longer a `slow` answer takes."""

Sockets = MutableMapping[tuple[str, int], asyncio.Transport]
"""Open connections by their other end, so that a fault can cut one."""


@dataclass(slots=True)
class ModelSim:
    """The state of the simulated provider."""

    latency: float = 0.15
    """Seconds that an answer takes."""
    faults: Faults = field(default_factory=Faults)
    limits: Accounts = field(default_factory=Accounts)
    bill: Bill = field(default_factory=Bill)
    resends: Resends = field(default_factory=Resends)
    visits: Visits = field(default_factory=Visits)
    sockets: Sockets = field(default_factory=dict)

    async def exchange(self, request: Request, shape: Shape) -> Response:
        """Answer one request of either wire."""
        try:
            question = shape.question(await request.json())
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            return _refusal(shape, Refused(400, f"bad request: {error!r}", "invalid_request_error", None, "api_error"))
        model = find(question.model)
        if model is None:
            return _refusal(shape, ERRORS[Fault.MODEL_UNKNOWN])
        self.bill.line(question.model).requests += 1
        with self.visits.enter(question.model, question.document) as visit:
            return await self._served(request, shape, question, (model, visit))

    async def _served(
        self, request: Request, shape: Shape, question: Question, about: tuple[SimModel, Visit]
    ) -> Response:
        model, visit = about
        if (account := self.limits.of(question.model)) is not None:
            after = account.admit(tokens(question.instructions + question.prompt), time.monotonic())
            if after is not None:
                refusal = _refusal(shape, ERRORS[Fault.RATE_LIMITED], after)
                refusal.headers.update(account.headers(time.monotonic()))
                return refusal
        order = self.faults.draw(question.model, question.document)
        fault = order.fault if order else None
        self.resends.note(question, fault)
        if fault is Fault.HANG or (fault in SILENT and not question.stream):
            await until_given_up(request.receive)
            visit.over(left=True)
            return Response(status_code=500)
        if fault is Fault.CONNECTION:
            return self._cut(request)
        if order and fault and fault in ERRORS:
            return _refusal(shape, ERRORS[fault], order.after)
        await attended(visit, request.receive, self.latency * (SLOWDOWN if fault is Fault.SLOW else 1))
        return self._answer(request, shape, question, (model, fault))

    def _answer(
        self, request: Request, shape: Shape, question: Question, how: tuple[SimModel, Fault | None]
    ) -> Response:
        model, fault = how
        asked = tokens(question.instructions + question.prompt)
        if asked > model.context_window or fault is Fault.TOKEN_LIMIT:
            return _refusal(shape, too_long(asked, model.context_window))
        content = think(question)
        if fault and fault in BENDINGS:
            content = BENDINGS[fault](content)
        text = written(content, fault)
        used = self.bill.used(question.model, question.instructions, asked, writes=shape.tells_writes)
        said = Said(text, fault, answered(used, model, text))
        answer, name = shape.answer(question, said), request.headers.get(REQUEST_ID, "")
        if question.stream:
            script = shape.script(question, answer)
            stream = played(script, fault)
            if stream.text:
                self.bill.charge(question.model, name, answered(used, model, stream.text))
            return self._counted(
                question, tokens(stream.text), StreamResponse(stream, fault, script.alive, lambda: self._cut(request))
            )
        self.bill.charge(question.model, name, said.used)
        whole = JSONResponse(answer)
        response = CutResponse(whole.body, lambda: self._cut(request)) if fault in BROKEN else whole
        return self._counted(question, said.used.output_tokens, response)

    def _counted(self, question: Question, output_tokens: int, response: Response) -> Response:
        """The response, with what is left of the limits."""
        if (account := self.limits.of(question.model)) is not None:
            account.answer(output_tokens, time.monotonic())
            response.headers.update(account.headers(time.monotonic()))
        return response

    def _cut(self, request: Request) -> Response:
        """Close the connection under the request; what is returned then reaches nobody."""
        if request.client and (socket := self.sockets.get((request.client.host, request.client.port))):
            socket.abort()
        return Response(status_code=500)


def answered(asked: Usage, model: SimModel, text: str) -> Usage:
    """What a call used, now that the answer is known."""
    return replace(asked, output_tokens=tokens(text) + model.thoughts, reasoning_tokens=model.thoughts)


def _refusal(shape: Shape, refused: Refused, after: float | None = None) -> Response:
    status, body = shape.error(refused)
    told = after is not None and refused.status in (429, 503)
    return JSONResponse(body, status, headers={"retry-after": f"{after:.3f}".rstrip("0").rstrip(".")} if told else None)


async def _ordered(request: Request, kind: type[B], give: Callable[[B], None]) -> Response | None:
    """Read an order and give it; the answer where it is none."""
    try:
        give(kind.model_validate_json(await request.body()))
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc']))} = {e['input']!r}: {e['msg']}" for e in error.errors()]
        return JSONResponse({"error": "; ".join(lines)}, 400)
    return None


def _door(
    kind: type[B], give: Mapping[str, Callable[[B], None]], clear: Callable[[], None], report: Callable[[], object]
) -> Callable[[Request], Awaitable[Response]]:
    """Put orders in force, by which method how; take them back; tell which there are."""

    async def door(request: Request) -> Response:
        if request.method == "DELETE":
            clear()
        given = give.get(request.method)
        if given and (wrong := await _ordered(request, kind, given)) is not None:
            return wrong
        return JSONResponse(report())

    return door


def app(sim: ModelSim) -> Starlette:
    """The provider's HTTP door."""
    openai, anthropic = OpenAIShape(), AnthropicShape()

    async def chat(request: Request) -> Response:
        return await sim.exchange(request, openai)

    async def messages(request: Request) -> Response:
        return await sim.exchange(request, anthropic)

    async def bill(request: Request) -> Response:
        return JSONResponse(
            sim.bill.report(items="items" in request.query_params) | {"identical_resends": sim.resends.count}
        )

    async def calls(request: Request) -> Response:
        return JSONResponse(sim.visits.report())

    give = {"POST": sim.faults.add, "PUT": sim.faults.only}
    faults = _door(Order, give, sim.faults.clear, sim.faults.report)
    limits = _door(Limit, {"POST": sim.limits.add}, sim.limits.clear, sim.limits.report)

    async def health(request: Request) -> Response:
        return JSONResponse({"ready": True, "weaker": {}})

    return Starlette(
        routes=[
            Route("/v1/chat/completions", chat, methods=["POST"]),
            Route("/v1/messages", messages, methods=["POST"]),
            Route("/bill", bill),
            Route("/calls", calls),
            Route("/faults", faults, methods=["GET", "POST", "PUT", "DELETE"]),
            Route("/limits", limits, methods=["GET", "POST", "DELETE"]),
            Route("/health/live", health),
            Route("/health/ready", health),
        ]
    )
