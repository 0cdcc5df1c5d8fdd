"""What the tests of the models share: an invoice, breakers as a plain class, a registry of one simulated provider."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from infra.modelsim.app import ModelSim
from infra.modelsim.faults import Order
from services.analyze.answers import InvoiceFields
from services.analyze.prompts import prompt_for
from shared.core.context import Answer, Prompt
from shared.core.failures import Failure
from shared.models.client import open_models
from shared.models.forms import Form
from shared.models.registry import Registry, load_registry
from shared.pipelines.document_types import Task
from shared.ports import BreakerReport, Permit

INVOICE = """Invoice

From: Millbrook Paper Ltd
Bill to: Harbour Books
Invoice No: INV-2041
Invoice date: 2026-03-02
Due date: 2026-04-01

Paper, 12 boxes    240.00
Total    EUR 240.00
"""

PROMPT = prompt_for(Task.EXTRACTION, "invoice", INVOICE)


class PlainBreakers:
    """Breakers that are open where the test says so, and remember what they were told."""

    def __init__(self, *opened: str) -> None:
        self.opened = set(opened)
        self.asked: list[str] = []
        self.records: list[tuple[str, Failure | None]] = []
        self.left: list[str] = []

    async def ask(self, name: str) -> Permit:
        self.asked.append(name)
        return Permit(False, after=7.0) if name in self.opened else Permit(True)

    def record(self, name: str, failure: Failure | None, number: int = 0) -> None:
        self.records.append((name, failure))

    def leave(self, name: str, number: int) -> None:
        self.left.append(name)

    async def opens(self, name: str, seconds: float) -> bool:
        return name in self.opened

    async def reports(self) -> Sequence[BreakerReport]:
        return []

    async def trip(self, name: str, reason: str) -> None:
        self.opened.add(name)

    async def reset(self, name: str) -> None:
        self.opened.discard(name)


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for a condition. Raises TimeoutError at the deadline."""
    async with asyncio.timeout(seconds):
        for _ in itertools.count():
            if condition():
                return
            await asyncio.sleep(0.01)


@dataclass
class World:
    """A simulated provider and how to ask it."""

    sim: ModelSim
    address: str
    breakers: PlainBreakers = field(default_factory=PlainBreakers)

    def fail(self, fault: str, model: str = "*", times: int | None = None, match: str = "", share: float = 1.0) -> None:
        """Have the provider fail."""
        order = {"model": model, "fault": fault, "times": times, "match": match, "share": share}
        self.sim.faults.add(Order.model_validate(order))

    def registry(self, *models: str, seconds: float = 20.0, form: Form | None = None) -> Registry:
        """The shipped registry with only this provider, the chain cut down to some models, asked in one form."""
        chain = load_registry("", {"PENSTOCK_MODELSIM_URL": self.address}).chain("analyst")
        kept = [m for m in chain if not models or m.name in models]
        patient = [replace(m, provider=replace(m.provider, timeout=seconds), form=form or m.form) for m in kept]
        return Registry({"analyst": tuple(patient)})

    async def ask(self, *models: str, prompt: Prompt = PROMPT, seconds: float = 20.0) -> Answer[InvoiceFields]:
        """Ask a chain of these models (none: all three) for the invoice's fields."""
        async with open_models(self.registry(*models, seconds=seconds), self.breakers) as chains:
            return await chains.ask("analyst", prompt, InvoiceFields)
