"""A request to a model as a span: what others read of it, and what they are not to read."""

import json
from dataclasses import replace

import pytest

from shared.core.failures import Failure
from shared.core.outcome import DeadLetter, Emit, Review
from shared.observe.tracing import names
from shared.observe.tracing.calls import Asked, Told
from shared.observe.tracing.spans import Kind, nanoseconds
from tests.unit.records import NOW, delivery, ticket
from tests.unit.spans import CALL, CODEC, FIRST, SECRET, TRIAGED, World, giving


def test_a_model_call_has_the_names_of_opentelemetry_and_those_that_langfuse_reads() -> None:
    world = World()
    asked = Asked(CALL, nanoseconds(NOW), server="models.test", most=900)
    world.run(giving(Emit(TRIAGED), asked, traces=world.traces))
    [call], [attempt] = world.named("chat sim-large"), world.named("triage attempt")
    assert (call.trace, call.parent, call.kind) == (FIRST.id, attempt.id, Kind.CLIENT)
    assert call.end - call.start == 40_000_000
    wanted = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "gcp.gemini",
        "gen_ai.request.model": "sim-large",
        "gen_ai.request.max_tokens": 900,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 120,
        "gen_ai.usage.output_tokens": 30,
        "langfuse.observation.type": "generation",
        "langfuse.observation.model.name": "sim-large",
        "langfuse.observation.prompt.name": "extract-fields",
        "langfuse.observation.prompt.version": 3,
        "langfuse.trace.name": "tickets",
        "session.id": "t1",
        "server.address": "models.test",
    }
    assert {name: call.attributes.get(name) for name in wanted} == wanted
    assert json.loads(call.attributes["langfuse.observation.usage_details"]) == {"input": 120, "output": 30}
    assert json.loads(call.attributes["langfuse.observation.cost_details"]) == {"total": 0.0125}


def test_a_found_result_is_no_generation_and_costs_nothing_twice() -> None:
    world = World()
    world.run(giving(Emit(TRIAGED), Asked(replace(CALL, outcome="reused"), 5_000), traces=world.traces))
    [call] = world.named("chat sim-large")
    assert (call.start, call.end, call.attributes[names.KIND], call.error) == (5_000, 5_000, "span", "")
    assert not {names.COST, names.COSTS, names.INPUT_TOKENS, names.USAGE} & call.attributes.keys()


@pytest.mark.parametrize(
    ("outcome", "level", "reasons"), [("truncated", "WARNING", ("length",)), ("timeout", "ERROR", None)]
)
def test_a_failed_call_says_how_it_failed(outcome: str, level: str, reasons: tuple[str] | None) -> None:
    world = World()
    world.run(giving(Emit(TRIAGED), Asked(replace(CALL, outcome=outcome), 0), traces=world.traces))
    [call] = world.named("chat sim-large")
    assert (call.error, call.attributes[names.LEVEL]) == (outcome, level)
    assert call.attributes.get(names.FINISH_REASONS) == reasons


def test_texts_are_told_only_where_that_is_wanted() -> None:
    quiet, open_ = World(), World(content=True)
    for world, told in ((quiet, None), (open_, Told("be brief", SECRET, SECRET))):
        asked = Asked(CALL, 0, told=told)
        world.run(giving(Review(SECRET, TRIAGED), asked, traces=world.traces))
        world.run(giving(DeadLetter(Failure.CORRUPT, SECRET)), delivery(1, value=CODEC.encode(ticket(SECRET))))
    assert SECRET not in repr(quiet.spans)
    call = open_.named("chat sim-large")[0].attributes
    assert SECRET in call[names.INPUT_MESSAGES]
    assert SECRET in call[names.OUTPUT]
    assert open_.named("triage")[-1].attributes[names.MESSAGE] == SECRET


def test_half_a_character_in_what_is_told_can_be_sent() -> None:
    world, half = World(content=True), "\ud800"
    asked = Asked(CALL, 0, told=Told("", half, half))
    world.run(giving(DeadLetter(Failure.CORRUPT, half), asked, traces=world.traces))
    values = [value for span in world.spans for value in span.attributes.values() if isinstance(value, str)]
    assert b"".join(value.encode() for value in values)
