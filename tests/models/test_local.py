"""The rules-based model of this process: in the chain where nothing is configured, free, and honest about itself."""

from services.analyze.answers import Answer, GenericFields, InvoiceFields, Summarized
from services.analyze.prompts import prompt_for
from shared.models.client import open_models
from shared.models.registry import load_registry
from shared.pipelines.document_types import Task
from tests.models.world import INVOICE, PlainBreakers


async def test_it_answers_every_task_at_no_cost_and_doubts_itself() -> None:
    async with open_models(load_registry("", {}), PlainBreakers()) as models:
        fields = await models.ask("analyst", prompt_for(Task.EXTRACTION, "invoice", INVOICE), InvoiceFields)
        generic = await models.ask("analyst", prompt_for(Task.EXTRACTION, "other", INVOICE), GenericFields)
        summary = await models.ask(
            "analyst", prompt_for(Task.SUMMARIZATION, "letter", "One. Two. Three. Four."), Summarized
        )
        question = prompt_for(Task.QA, "letter", "Ada wrote it. Bob paid the fee.", "Who paid?")
        answer = await models.ask("analyst", question, Answer)
    assert fields.value.due_date == "2026-04-01"
    assert fields.value.vendor == ""
    assert generic.value.found()["bill_to"] == "Harbour Books"
    assert summary.value.summary == "One. Two. Three."
    assert answer.value.answer == "Bob paid the fee."
    assert {a.value.confidence for a in (fields, generic, summary, answer)} == {0.3}
    assert {call.cost_usd for a in (fields, generic, summary, answer) for call in a.calls} == {0.0}
    assert fields.calls[0].provider == "local"
