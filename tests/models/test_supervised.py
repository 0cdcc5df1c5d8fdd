"""Analyze under its supervisor, on the simulated provider: specialists, the general chain, parts, what is missing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from schemas.events import Analysis, DocumentAnalyzed
from services.analyze.settings import AnalyzeSettings
from services.analyze.stage import analyze
from shared.core.failures import Failure, Remedy
from shared.core.ledger import Scope
from shared.core.outcome import DeadLetter, Emit, Outcome, Park, Retry
from shared.core.remedies import Fallback, Remedies
from shared.memory.ledger import MemoryLedger
from shared.models.client import ModelChains, open_models
from shared.models.questions import ChainPolicy
from shared.models.registry import Model, Registry
from shared.testing import Ports, run
from tests.models.world import INVOICE, PlainBreakers, World
from tests.unit.documents import classified

SCOPE = Scope("documents", "analyze", "acme", "d1", "documents.analyze/0/7")


def shrunk(model: Model, tokens: int) -> Model:
    """The same model with a smaller window."""
    return replace(model, context_window=tokens + model.max_output)


@dataclass
class Office:
    """Specialists and generalists over one provider, with one ledger."""

    world: World
    extraction: tuple[str, ...] = ("sim-large",)
    analyst: tuple[str, ...] = ("sim-large", "sim-small", "sim-anthropic")
    policy: ChainPolicy = field(default_factory=ChainPolicy)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    windows: dict[str, int] = field(default_factory=dict)
    seconds: float = 20.0

    @asynccontextmanager
    async def models(self) -> AsyncIterator[ModelChains]:
        def chain(names: tuple[str, ...]) -> tuple[Model, ...]:
            found = {model.name: model for model in self.world.registry(seconds=self.seconds).chain("analyst")}
            return tuple(
                shrunk(found[name], self.windows[name]) if name in self.windows else found[name] for name in names
            )

        chains = {"analyst": chain(self.analyst)} | ({"extraction": chain(self.extraction)} if self.extraction else {})
        async with open_models(Registry(chains), self.world.breakers, self.ledger, policy=self.policy) as opened:
            yield opened.within(SCOPE)

    async def outcome(
        self, text: str = INVOICE, tasks: tuple[str, ...] = ("extraction",), models: ModelChains | None = None
    ) -> Outcome[Any]:
        """What becomes of an invoice; with `models`, in the same process as before."""
        if models is None:
            async with self.models() as opened:
                return await self.outcome(text, tasks, opened)
        ports = Ports(models=models, ledger=self.ledger, settings=AnalyzeSettings())
        return await run(analyze, classified(text, tasks=tasks), ports=ports)

    async def analysis(self, text: str = INVOICE, tasks: tuple[str, ...] = ("extraction",)) -> Analysis:
        outcome = await self.outcome(text, tasks)
        assert isinstance(outcome, Emit), outcome
        [event] = outcome.events
        assert isinstance(event, DocumentAnalyzed)
        return event.analysis


def said(analysis: Analysis) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(choice.decision, choice.chain, choice.models) for choice in analysis.choices]


def made(analysis: Analysis) -> list[tuple[str, str]]:
    return [(call.model, call.outcome) for call in analysis.calls]


async def test_a_task_goes_to_its_specialists_whose_answer_is_accepted(world: World) -> None:
    analysis = await Office(world).analysis()
    assert said(analysis) == [("specialist", "extraction", ("sim-large",))]
    assert analysis.choices[0].tried == {"extraction": analysis.choices[0].score}
    assert analysis.fields["invoice_number"] == "INV-2041"


async def test_a_task_without_specialists_goes_to_the_general_chain(world: World) -> None:
    analysis = await Office(world, extraction=()).analysis()
    assert said(analysis) == [("general", "analyst", ("sim-large",))]


async def test_what_the_specialists_doubt_goes_to_other_models_and_the_better_answer_stands(world: World) -> None:
    world.fail("low_confidence", model="sim-large")
    analysis = await Office(world).analysis()
    assert said(analysis) == [("general", "analyst", ("sim-small",))]
    assert made(analysis) == [("sim-large", "ok"), ("sim-small", "ok")]
    assert analysis.choices[0].tried == {"extraction": 0.2, "analyst": analysis.confidence}


async def test_what_nobody_is_sure_of_is_for_a_person_with_the_best_answer(world: World) -> None:
    world.fail("low_confidence")
    analysis = await Office(world).analysis()
    assert said(analysis) == [("person", "extraction", ("sim-large",))]
    assert analysis.fields["invoice_number"] == "INV-2041"


async def test_where_there_is_nobody_else_nobody_is_asked_twice(world: World) -> None:
    world.fail("low_confidence")
    analysis = await Office(world, analyst=("sim-large",)).analysis()
    assert said(analysis) == [("person", "extraction", ("sim-large",))]
    assert world.sim.bill.report()["calls"] == 1


@pytest.mark.parametrize("fault", ["refusal", "overloaded", "malformed_json"])
async def test_where_the_specialists_fail_the_general_chain_answers_without_them(world: World, fault: str) -> None:
    world.fail(fault, model="sim-large")
    analysis = await Office(world).analysis()
    assert said(analysis) == [("general", "analyst", ("sim-small",))]
    assert made(analysis)[0] == ("sim-large", fault)
    assert [model for model, _ in made(analysis)].count("sim-large") == (2 if fault == "malformed_json" else 1)


async def test_what_a_content_policy_forbids_is_not_dodged_by_the_general_chain(world: World) -> None:
    world.fail("content_policy", model="sim-large")
    outcome = await Office(world).outcome()
    assert isinstance(outcome, DeadLetter)
    assert outcome.failure is Failure.CONTENT_POLICY
    allowed = ChainPolicy(Remedies({Failure.CONTENT_POLICY: Remedy.FALLBACK}))
    assert said(await Office(world, policy=allowed).analysis()) == [("general", "analyst", ("sim-small",))]


async def test_specialists_that_are_away_are_stood_in_for_unless_the_pipeline_waits(world: World) -> None:
    world.breakers = PlainBreakers("model:sim-large")
    assert said(await Office(world).analysis()) == [("general", "analyst", ("sim-small",))]
    waiting = await Office(world, policy=ChainPolicy(fallback=Fallback.WAIT)).outcome()
    assert isinstance(waiting, Park)
    assert waiting.dependency == "model:sim-large"


async def test_silent_specialists_are_not_asked_again_while_the_general_chain_has_others(
    world: World,
) -> None:
    world.fail("hang", model="sim-large", times=1)
    world.fail("overloaded", model="sim-small", times=1)
    office = Office(world, analyst=("sim-large", "sim-small"), seconds=0.3)
    async with office.models() as models:
        assert isinstance(await office.outcome(models=models), Retry)
        outcome = await office.outcome(models=models)
    assert isinstance(outcome, Emit)
    assert said(outcome.events[0].analysis) == [("general", "analyst", ("sim-small",))]
    assert world.sim.bill.lines["sim-large"].requests == 1


async def test_where_everybody_is_away_the_document_waits_for_its_specialist(world: World) -> None:
    world.breakers = PlainBreakers("model:sim-large", "model:sim-small", "model:sim-anthropic")
    assert isinstance(await Office(world).outcome(), Park)
    only = await Office(world, extraction=("sim-large",), analyst=("sim-large",)).outcome()
    assert isinstance(only, Park)


async def test_a_fault_of_every_provider_heals(world: World) -> None:
    world.fail("overloaded")
    outcome = await Office(world).outcome()
    assert isinstance(outcome, Retry)
    assert world.sim.bill.report()["models"]["sim-large"]["requests"] == 1


async def test_a_task_that_fails_for_good_is_named_beside_those_that_were_done(world: World) -> None:
    world.fail("refusal", match="INV-2041", times=3)
    analysis = await Office(world).analysis(tasks=("extraction", "summarization"))
    assert (analysis.fields, bool(analysis.summary)) == ({}, True)
    [gap] = analysis.missing
    assert gap.startswith("extraction: refusal: ")
    assert [outcome for _, outcome in made(analysis)].count("refusal") == 3


async def test_where_nothing_could_be_done_the_document_is_dead_by_its_class(world: World) -> None:
    world.fail("refusal")
    outcome = await Office(world).outcome(tasks=("extraction", "summarization"))
    assert isinstance(outcome, DeadLetter)
    assert outcome.failure is Failure.REFUSAL


async def test_what_the_table_sends_to_a_person_goes_there_though_nothing_was_done(world: World) -> None:
    world.fail("refusal")
    analysis = await Office(world, policy=ChainPolicy(Remedies({Failure.REFUSAL: Remedy.REVIEW}))).analysis()
    assert (analysis.fields, analysis.confidence, analysis.choices) == ({}, 0.0, ())
    assert analysis.missing[0].startswith("extraction: refusal: ")
    assert made(analysis) == [("sim-large", "refusal")]


PAGES = "\f".join(
    [INVOICE, *(f"Annex {number}.\n\n" + "Goods go out on the day after the order.\n\n" * 40 for number in range(6))]
)
SMALL = {"sim-large": 1_500, "sim-small": 1_500, "sim-anthropic": 1_500}


async def test_what_no_window_holds_is_asked_in_parts_and_merged(world: World) -> None:
    analysis = await Office(world, windows=SMALL).analysis(PAGES)
    assert analysis.fields["invoice_number"] == "INV-2041"
    assert analysis.missing == ()
    assert len(analysis.calls) == world.sim.bill.report()["calls"] > 2


async def test_a_larger_model_is_better_than_parts_also_where_only_the_general_chain_has_it(world: World) -> None:
    analysis = await Office(world, windows={"sim-large": 1_500}).analysis(PAGES)
    assert made(analysis) == [("sim-small", "ok")]
    assert said(analysis) == [("general", "analyst", ("sim-small",))]


async def test_of_parts_the_one_that_failed_is_asked_again_alone(world: World) -> None:
    office = Office(world, extraction=(), analyst=("sim-large",), windows=SMALL)
    world.fail("overloaded", match="Annex 4.", times=1)
    first = await office.outcome(PAGES)
    before = world.sim.bill.report()["models"]["sim-large"]["requests"]
    assert isinstance(first, Retry)
    analysis = await office.analysis(PAGES)
    bill = world.sim.bill.report()["models"]["sim-large"]
    assert bill["calls"] == len(analysis.calls)
    assert bill["requests"] == bill["calls"] + 1
    assert before > 1


async def test_a_part_that_fails_for_good_is_missing_and_said_to_be(world: World) -> None:
    office = Office(world, extraction=(), analyst=("sim-large",), windows=SMALL)
    world.fail("refusal", match="Annex 5.")
    analysis = await office.analysis(PAGES)
    assert analysis.fields["invoice_number"] == "INV-2041"
    assert analysis.missing
    assert all("extraction, part " in gap and "page" in gap and "refusal" in gap for gap in analysis.missing)


async def test_a_provider_that_counts_more_than_was_thought_is_asked_in_parts(world: World) -> None:
    world.fail("token_limit", times=1)
    lines = "\n\n".join(f"Position {number}: goods go out on the day after the order." for number in range(60))
    analysis = await Office(world).analysis(f"{INVOICE}\n\n{lines}")
    assert analysis.fields["invoice_number"] == "INV-2041"
    assert made(analysis)[0] == ("sim-large", "token_limit")
    assert made(analysis)[1:] == [("sim-large", "ok")] * (len(made(analysis)) - 1)
    assert len(made(analysis)) > 2


async def test_where_the_table_says_so_nothing_is_asked_in_parts(world: World) -> None:
    policy = ChainPolicy(Remedies({Failure.TOKEN_LIMIT: Remedy.DEAD}))
    outcome = await Office(world, windows=dict.fromkeys(SMALL, 300), policy=policy).outcome(PAGES)
    assert isinstance(outcome, DeadLetter)
    assert outcome.failure is Failure.TOKEN_LIMIT
