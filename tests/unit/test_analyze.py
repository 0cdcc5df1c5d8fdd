"""The analyze handler alone: functions in place of the models and the blobs."""

from collections.abc import Collection
from types import SimpleNamespace
from typing import Any

import pytest

from schemas.events import DocumentAnalyzed, Reference
from services.analyze.answers import Answer, GenericFields, InvoiceFields, NamedValue, Summarized
from services.analyze.settings import AnalyzeSettings
from services.analyze.stage import analyze
from shared.core import context
from shared.core.context import Call, Outlook, Prompt
from shared.core.errors import Failed
from shared.core.outcome import Emit
from shared.pipelines.material import document_in
from tests.unit.documents import classified

INVOICE = {
    "invoice_number": "7",
    "invoice_date": None,
    "due_date": "",
    "vendor": "Mill\x00brook ",
    "customer": "",
    "total": "1.00",
    "currency": "",
}


def call(prompt: Prompt, outcome: str) -> Call:
    return Call(prompt.task, "modelsim", "sim-large", prompt.name, 10, 2, 0.25, 5, outcome)


class Scripted:
    """Models that say what the test wrote for each kind of answer."""

    def __init__(self, *said: Any) -> None:
        self.said = {type(answer): answer for answer in said}
        self.prompts: list[Prompt] = []

    def outlook(self, chain: str, prompt: Prompt, schema: type[Any], *, besides: Collection[str] = ()) -> Outlook:
        return Outlook()

    async def ask(
        self, chain: str, prompt: Prompt, schema: type[Any], *, besides: Collection[str] = ()
    ) -> context.Answer[Any]:
        assert chain == "analyst"
        self.prompts.append(prompt)
        return context.Answer(self.said[schema], (call(prompt, "overloaded"), call(prompt, "ok")))


async def run(models: Scripted, document: Any, blobs: Any = None) -> DocumentAnalyzed:
    settings = AnalyzeSettings()
    handed = SimpleNamespace(models=models, blobs=blobs, resource=lambda kind: settings, prompt="")
    outcome = await analyze.call(document, handed)
    assert isinstance(outcome, Emit)
    (event,) = outcome.events
    assert isinstance(event, DocumentAnalyzed)
    return event


async def test_no_task_means_the_fields_of_the_type_without_those_it_lacks() -> None:
    models = Scripted(InvoiceFields.model_validate(INVOICE | {"confidence": 0.8}))
    event = await run(models, classified("the text"))
    assert event.analysis.fields == {"invoice_number": "7", "vendor": "Millbrook", "total": "1.00"}
    assert event.analysis.confidence == 0.8
    assert [document_in(prompt.user) for prompt in models.prompts] == ["the text"]


async def test_every_task_is_done_once_and_the_lowest_confidence_counts() -> None:
    models = Scripted(
        InvoiceFields.model_validate(INVOICE | {"confidence": 0.9}),
        Summarized(summary="Short.", confidence=0.4),
        Answer(answer="Bob", confidence=0.7),
    )
    tasks = ("extraction", "summarization", "qa:Who pays?", "qa:Who  pays?", "classification")
    event = await run(models, classified("t", tasks=tasks))
    assert (event.analysis.summary, event.analysis.answers) == ("Short.", {"Who pays?": "Bob"})
    assert event.analysis.confidence == 0.4
    assert [prompt.name for prompt in models.prompts] == ["extraction@1", "summarization@1", "qa@1"]


async def test_every_request_is_carried_with_its_cost_failed_ones_too() -> None:
    event = await run(Scripted(Summarized(summary="S", confidence=1)), classified("t", tasks=("summarization",)))
    assert [(made.outcome, made.cost_usd) for made in event.analysis.calls] == [("overloaded", 0.25), ("ok", 0.25)]


async def test_classification_alone_asks_nobody() -> None:
    models = Scripted()
    event = await run(models, classified("t", tasks=("classification",)))
    assert (models.prompts, event.analysis.calls, event.analysis.confidence) == ([], (), 1.0)


async def test_a_type_without_fields_of_its_own_gives_what_it_labels() -> None:
    entries = [NamedValue(name="a", value="1"), NamedValue(name="a", value="2"), NamedValue(name="b", value="")]
    models = Scripted(GenericFields(fields=entries, confidence=1))
    event = await run(models, classified("t", kind="other", tasks=("extraction",)))
    assert event.analysis.fields == {"a": "1"}


async def test_a_large_text_is_fetched_and_its_reference_goes_on() -> None:
    async def get(reference: Reference) -> bytes:
        return b"fetched"

    reference = Reference(uri="file:///b/1", sha256="00", size=7)
    models = Scripted(InvoiceFields.model_validate(INVOICE | {"confidence": 1}))
    event = await run(models, classified(reference), SimpleNamespace(get=get))
    assert document_in(models.prompts[0].user) == "fetched"
    assert event.text is reference


async def test_a_task_that_nobody_knows_asks_nobody() -> None:
    models = Scripted()
    with pytest.raises(Failed, match="'translate' is unknown"):
        await run(models, classified("t", tasks=("extraction", "translate")))
    assert models.prompts == []
