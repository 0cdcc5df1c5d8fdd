"""How model answers are judged: on the labelled set, and at the real client against a provider that gives bad ones.

    refusals   on the held-back part of the labelled set: refusals found, good answers taken for one
    answers    invoices asked for while the provider cuts, breaks, declines and repeats: nothing cut off is accepted,
               nothing is sent again unchanged (faults of the provider itself are, and may be)

Neither needs a server: the provider and the ledger are in this process.
"""

import asyncio
from contextlib import suppress

from infra.bench.answers.labelled import labelled
from infra.bench.figures import Figures
from infra.modelsim.app import ModelSim
from infra.modelsim.faults import Fault, Order
from infra.modelsim.server import serving
from services.analyze.answers import InvoiceFields
from services.analyze.prompts import prompt_for
from shared.core.breaker import BreakerPolicy
from shared.core.context import Answer
from shared.core.failures import Failure
from shared.core.ledger import Scope
from shared.memory.breakers import MemoryBreakers
from shared.memory.ledger import MemoryLedger
from shared.models.answers import check
from shared.models.client import ModelChains, ModelFailed, ModelUnavailable, open_models
from shared.models.registry import load_registry
from shared.pipelines.document_types import Task

SHARES = {
    Fault.MALFORMED_JSON: 0.03,
    Fault.REFUSAL_IN_FIELD: 0.02,
    Fault.TRUNCATED: 0.02,
    Fault.UNCLOSED_JSON: 0.02,
    Fault.SCHEMA_VIOLATION: 0.02,
    Fault.COPIED_SCHEMA: 0.02,
    Fault.EMPTY_SHELL: 0.02,
    Fault.UNGROUNDED: 0.02,
    Fault.SERVER_ERROR: 0.02,
}
"""Part of the calls that fail so."""
NEVER_WHOLE = "From: hard "
"""Words of documents on which every answer is cut off, whatever is asked."""
TRIES = 3
"""How often a document's operation is tried."""


def refusals(surroundings: object) -> Figures:
    """The judge's own verdict on every answer that was held back; it needs no servers, so no surroundings."""
    back = [one for one in labelled() if one.held_back]
    verdicts = [(one.refusal, check(one.answer, one.schema, one.document).failure is Failure.REFUSAL) for one in back]
    declined = [said for is_refusal, said in verdicts if is_refusal]
    good = [said for is_refusal, said in verdicts if not is_refusal]
    return {
        "refusal_answers": float(len(back)),
        "refusal_recall": sum(declined) / len(declined),
        "refusal_false_alarms": sum(good) / len(good),
    }


def answers(surroundings: object, documents: int = 500) -> Figures:
    """Ask for so many invoices while the provider answers badly; needs no surroundings either."""
    return asyncio.run(_answers(documents))


def invoice(number: int) -> str:
    """One invoice; on every twentieth no answer is ever whole."""
    kind = "hard " if number % 20 == 7 else ""
    return (
        f"Invoice\n\nFrom: {kind}Paper Mill {number} Ltd\nBill to: Harbour Books\nInvoice No: INV-{number:05}\n"
        f"Invoice date: 2026-03-02\nDue date: 2026-04-01\n\nTotal    EUR {number + 100}.00\n"
    )


async def _answers(documents: int) -> Figures:
    sim = ModelSim(latency=0.0)
    sim.faults.add(Order(fault=Fault.TRUNCATED, match=NEVER_WHOLE))
    for fault, share in SHARES.items():
        sim.faults.add(Order(fault=fault, share=share))
    never_opens = MemoryBreakers(BreakerPolicy(threshold=10**9, minimum_calls=10**9))
    async with serving(sim) as address:
        registry = load_registry("", {"PENSTOCK_MODELSIM_URL": address})
        async with open_models(registry, never_opens, MemoryLedger()) as chains:
            told = [await _told(chains, number) for number in range(documents)]
    return {
        "answers_accepted": float(sum(one is not None for one in told)),
        "truncated_accepted": float(sum(one is False for one in told)),
        "identical_resends": float(sim.resends.count),
    }


async def _told(chains: ModelChains, number: int) -> bool | None:
    """False where an answer that is not whole passes for a good one; None where there is none after all tries."""
    scope = Scope("bench", "analyze", "default", f"d{number}", f"bench.analyze/0/{number}")
    prompt = prompt_for(Task.EXTRACTION, "invoice", invoice(number))
    for _ in range(TRIES):
        with suppress(ModelFailed, ModelUnavailable):
            answer = await chains.within(scope).ask("analyst", prompt, InvoiceFields)
            return _whole(answer) or answer.quality < chains.policy.quality.retry_below
    return None


def _whole(answer: Answer[InvoiceFields]) -> bool:
    """Every field is there, as every one of these invoices has them all."""
    return len(answer.value.found()) == len(InvoiceFields.model_fields) - 1
