"""`penstock pause` and `resume`: hold a stage back in all its processes, and let it go on."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from difflib import get_close_matches
from typing import Annotated, Any

import typer

from shared.cli.exits import Exit, Stop
from shared.cli.session import open_session
from shared.cli.talk import Json, PipelineName, cell, data
from shared.cli.verbs.breakers import registry
from shared.core.breaker import pause_of
from shared.core.graph import Pipeline
from shared.ports import BreakerReport, BreakerState
from shared.state.breakers import RedisBreakers

Name = Annotated[str, typer.Argument(metavar="STAGE", help="Stage of the pipeline, such as analyze.")]


def pause(
    stage: Name,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the others.")] = "no reason given",
    pipeline: PipelineName = "",
    as_json: Json = False,
) -> Exit:
    """Have every process of a stage begin nothing more until `resume`; what runs ends, and no attempt is spent."""
    chosen = open_session(pipeline).pipeline
    name = name_of(chosen, stage)
    said = f"by {getpass.getuser()}: {reason}"
    before, after = asyncio.run(turned(name, paused=True, act=lambda known: known.trip(name, said)))
    if as_json:
        data(told(stage, after) | {"changed": not paused(before)})
    elif paused(before):
        print(f"{stage} is paused already, since {cell(before.since if before else '')}: `penstock resume {stage}`")
    else:
        print(f"{stage} is paused: its processes begin nothing more; `penstock resume {stage}` lets them go on")
    return Exit.DONE


def resume(stage: Name, pipeline: PipelineName = "", as_json: Json = False) -> Exit:
    """Let a paused stage go on."""
    name = name_of(open_session(pipeline).pipeline, stage)
    before, after = asyncio.run(turned(name, paused=False, act=lambda known: known.reset(name)))
    if as_json:
        data(told(stage, after) | {"changed": paused(before)})
    else:
        print(f"{stage} goes on" if paused(before) else f"{stage} is not paused: nothing to do")
    return Exit.DONE


def name_of(pipeline: Pipeline, stage: str) -> str:
    """What the registry calls the stage's pause. Raises Stop where there is no such stage."""
    names = [known.name for known in pipeline.stages]
    if stage not in names:
        near = get_close_matches(stage, names, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
        raise Stop(Exit.USAGE, f"{stage!r} is no stage of {pipeline.name}; {hint}")
    return pause_of(pipeline.name, stage)


async def turned(
    name: str, *, paused: bool, act: Callable[[RedisBreakers], Awaitable[None]]
) -> tuple[BreakerReport | None, BreakerReport | None]:
    """Act where it is not so already; gives how it was and how it is. Raises Unavailable."""
    async with registry() as known:
        before = await found(known, name)
        if (before is not None and before.state is BreakerState.OPEN) == paused:
            return before, before
        await act(known)
        return before, await found(known, name)


async def found(known: RedisBreakers, name: str) -> BreakerReport | None:
    """What the registry says of it."""
    return next((report for report in await known.reports() if report.name == name), None)


def paused(report: BreakerReport | None) -> bool:
    """Whether that is a pause."""
    return report is not None and report.state is BreakerState.OPEN


def told(stage: str, report: BreakerReport | None) -> dict[str, Any]:
    """How it is now."""
    held = report if paused(report) else None
    return {
        "stage": stage,
        "paused": held is not None,
        "since": held.since if held else None,
        "reason": held.reason if held else "",
    }
