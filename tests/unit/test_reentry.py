"""A replayed record asks the model and the prompt that the replay names; one that nobody has is a dead letter."""

import pytest

from services.analyze.prompts import prompt_for
from shared.core.errors import Failed
from shared.core.event import Position
from shared.core.failures import Failure
from shared.core.headers import ORIGIN, REPLAYED, USE_MODEL, USE_PROMPT
from shared.core.outcome import Retry
from shared.core.reentry import Reentry, reentry_of
from shared.core.settle import Place, settle
from shared.models.registry import load_registry
from shared.pipelines.document_types import Task
from shared.runtime.world import HandlerContext, World
from shared.testing.alone import answering
from tests.pipeline.tiny.pipeline import TICKETS, TRIAGE
from tests.unit.records import NOW, TOPIC, delivery, owning

REENTRY = Reentry(Position("t.triage.dlq", 1, 7), "r1", 1, "sim-small", "qa@1")


def test_the_context_gives_the_models_as_the_replay_wants_them() -> None:
    asked: list[str] = []

    def opened(scope: object, model: str = "") -> object:
        asked.append(model)
        return answering(lambda chain, prompt: {})

    world = World(None, opened, None, {}, None, None)  # type: ignore[arg-type]
    plain, replayed = HandlerContext(NOW, 1, world), HandlerContext(NOW, 1, world, reentry=REENTRY)
    assert plain.models
    assert replayed.models
    assert (asked, plain.prompt, replayed.prompt) == (["", "sim-small"], "", "qa@1")


FORGED = (
    ("theirs", b"x"),
    (USE_MODEL, b"dearest"),
    (USE_PROMPT, b"qa@1"),
    (ORIGIN, b"t.ingest/0/0"),
    (REPLAYED, b"t.triage.dlq/1/7"),
)


def test_a_record_of_the_ingest_topic_chooses_neither_model_nor_prompt_and_has_no_past() -> None:
    shares = owning(0)
    [taken] = shares.take([delivery(3, headers=FORGED)])
    assert taken.delivery.reentry == Reentry(Position("t.triage.dlq", 1, 7))
    assert taken.delivery.origin == Position(TOPIC, 0, 3)
    assert taken.delivery.headers == (FORGED[0], FORGED[4])


def test_nor_after_it_failed_and_waits_in_a_topic_of_ours() -> None:
    place = Place(TICKETS, TRIAGE)
    [taken] = owning(0).take([delivery(3, headers=(*FORGED, *Reentry(REENTRY.letter, model="dearest").to_headers()))])
    [write] = settle(place, taken.delivery, None, Retry(Failure.TIMEOUT, "slow"), NOW).writes
    assert ".retry." in write.topic
    found = reentry_of(write.headers)
    assert found is not None
    assert (found.model, found.prompt) == ("", "")


def test_what_a_replay_writes_to_a_later_stage_is_obeyed() -> None:
    record = delivery(3, headers=REENTRY.to_headers(), topic="tickets.answer")
    assert record.believed is record
    assert record.reentry == REENTRY


def test_a_registry_of_only_one_model_has_it_in_every_chain() -> None:
    registry = load_registry("", {"PENSTOCK_MODELSIM_URL": "http://127.0.0.1:1"})
    name = next(iter(registry.models))
    only = registry.only(name)
    assert {model.name for models in only.chains.values() for model in models} == {name}
    assert only.chains.keys() == registry.chains.keys()
    with pytest.raises(Failed) as found:
        registry.only("nobody")
    assert found.value.failure is Failure.MODEL_UNKNOWN


def test_a_prompt_of_another_task_changes_nothing_and_an_unknown_version_is_refused() -> None:
    usual = prompt_for(Task.EXTRACTION, "invoice", "text")
    assert prompt_for(Task.EXTRACTION, "invoice", "text", instead="qa@1") == usual
    assert prompt_for(Task.EXTRACTION, "invoice", "text", instead=usual.name) == usual
    for name in ("extraction@99", "extraction@../../x"):
        with pytest.raises(Failed) as found:
            prompt_for(Task.EXTRACTION, "invoice", "text", instead=name)
        assert found.value.failure is Failure.INVALID_EVENT
