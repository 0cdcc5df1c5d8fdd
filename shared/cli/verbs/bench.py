"""`penstock bench`: measure the product on this machine, on servers of its own."""

import math
import signal
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from infra.bench.engine import ENGINE
from infra.bench.failures import FAILURES
from infra.bench.figures import GOALS, Figures
from infra.bench.insights import INSIGHTS
from infra.bench.measure import Scenarios, measure
from shared.cli.exits import Exit, Stop
from shared.cli.talk import Json, data, table

BENCHES: dict[str, Scenarios] = {"engine": ENGINE, "failures": FAILURES, "insights": INSIGHTS}
"""What can be measured."""
EVERY = "; ".join(f"{name}: {', '.join(scenarios)}" for name, scenarios in BENCHES.items())
"""Every scenario."""


def bench(
    what: Annotated[str, typer.Argument(metavar="|".join(BENCHES), help="What to measure.")],
    only: Annotated[list[str] | None, typer.Option("--only", metavar="SCENARIO", help=f"Only these ({EVERY}).")] = None,
    small: Annotated[
        bool, typer.Option("--small", help="In a minute: for what is counted, not what is timed.")
    ] = False,
    as_json: Json = False,
) -> Exit:
    """Measure the engine, what becomes of failures, or what is known afterwards.

    It starts a Kafka, a Redis and a PostgreSQL of its own, kills only its own processes, and leaves nothing behind. All
    of it takes half an hour; an idle machine gives the best figures. With --json the last line is one object with every
    figure under its key. Exit code 3 where a scenario could not be brought to an end, 1 where none could.
    """
    scenarios = chosen(what, only or ())
    # A termination is to end in the same good order as an interrupt.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    figures, failed = measure(scenarios, small=small, say=tell)
    if as_json:
        data({name: rounded(figure) for name, figure in figures.items()})
    else:
        table(("figure", "measured", "goal", "met"), rows(figures))
    if not failed:
        return Exit.DONE
    print(f"penstock: no figures of {', '.join(one.name for one in failed)}", file=sys.stderr)
    return Exit.PARTLY if figures else Exit.FAILED


def chosen(what: str, names: Sequence[str]) -> Scenarios:
    """The scenarios to run: those of these names, else all. Raises Stop where there is nothing of that name."""
    if (known := BENCHES.get(what)) is None:
        raise Stop(Exit.USAGE, f"bench {what}: there is nothing to measure of that name; there is {', '.join(BENCHES)}")
    if unknown := [name for name in names if name not in known]:
        raise Stop(Exit.USAGE, f"no scenario {', '.join(unknown)}; there are {', '.join(known)}")
    return {name: scenario for name, scenario in known.items() if name in (names or known)}


def rows(figures: Figures) -> list[list[object]]:
    """Each figure beside its goal."""
    goals = [(name, figure, GOALS.get(name)) for name, figure in figures.items()]
    return [
        [name, rounded(figure), goal or "", "" if goal is None else "yes" if goal.met(figure) else "no"]
        for name, figure, goal in goals
    ]


def rounded(figure: float) -> float | int | None:
    """Four digits are more than any machine repeats; None where there was nothing to measure."""
    if math.isnan(figure):
        return None
    return int(figure) if figure == int(figure) else float(f"{figure:.4g}")


def tell(line: str) -> None:
    """Talk. Not only on a terminal: whoever logs half an hour wants to see how far it is."""
    print(line, file=sys.stderr, flush=True)
