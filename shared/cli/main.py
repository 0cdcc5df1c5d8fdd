"""The command `penstock`: a table of verbs, each imported when it is used."""

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from shared.cli.exits import Exit, exit_of

VERBS: dict[str, tuple[str, str]] = {
    "up": ("local:up", "Start what is not set: Kafka, Redis, PostgreSQL, and every service."),
    "scale": ("local:scale", "Set how many processes a service has."),
    "down": ("local:down", "Stop everything that `up` started."),
    "ps": ("local:ps", "Show the processes."),
    "pause": ("pausing:pause", "Have every process of a stage begin nothing more."),
    "resume": ("pausing:resume", "Let a paused stage go on."),
    "publish": ("publish:publish", "Hand documents in."),
    "status": ("status:status", "Tell where a document is, or how a batch stands."),
    "results": ("results:results", "List how documents ended."),
    "cancel": ("cancel:cancel", "Have a document or a batch end at once, and pay nothing more for it."),
    "costs": ("costs:costs", "Tell what was spent, by model, type, tenant, day and more."),
    "topology": ("topology:topology", "Draw the pipeline."),
    "try": ("trying:try_", "Run a stage or the pipeline on local files, in memory."),
    "dlq": ("dlq:APP", "List, show, replay and discard dead letters."),
    "breakers": ("breakers:APP", "Show, trip and reset the circuit breakers."),
    "review": ("review:APP", "List, show and decide what waits for a person."),
    "audit": ("audit:audit", "Check that no document is missing or doubled."),
    "janitor": ("janitor:janitor", "Delete records that everybody is done with."),
    "journal": ("journal:APP", "Show what happened to a document, and how batches stand."),
    "insights": (
        "insights:insights",
        "Tell which documents fail, how often, since when, and what they have in common.",
    ),
    "webhooks": ("webhooks:APP", "Show the webhooks, what waits for them, and send a sample to one."),
    "drill": ("drill:drill", "Break a running local installation on purpose, and check the promises."),
    "bench": ("bench:bench", "Measure the product on this machine."),
    "config": ("config:config", "Show every setting and where it came from."),
}
"""Verb to where its code is and what it does; the sentence stands here so that --help imports none of them."""

Command = Any
"""A command of typer; its base class has no public name."""


class Verbs(Mapping[str, Command]):
    """The commands by name, loaded one at a time."""

    def __getitem__(self, verb: str) -> Command:
        module, name = VERBS[verb][0].split(":")
        target = getattr(importlib.import_module(f"shared.cli.verbs.{module}"), name)
        if isinstance(target, typer.Typer):
            return typer.main.get_command(target)
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(verb)(target)
        return typer.main.get_command(app)

    def __iter__(self) -> Iterator[str]:
        return iter(VERBS)

    def __len__(self) -> int:
        return len(VERBS)


class Penstock(TyperGroup):
    """The group of all verbs."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # Everything typer does with commands goes through this mapping, suggestions for a typo included.
        self.commands = Verbs()  # type: ignore[assignment]

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order of the table."""
        return list(VERBS)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """From the table: asking each command for its help would import them all."""
        with formatter.section("Commands"):
            formatter.write_dl([(verb, sentence) for verb, (_, sentence) in VERBS.items()])


app = typer.Typer(
    cls=Penstock,
    epilog="Exit codes: 0 done, 1 failed, 2 usage, 3 partly done, 4 not found, 5 refused, 6 a needed part unreachable,"
    " 7 timeout, 130 interrupted.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def ended(code: Exit | None) -> None:
    """Verbs give their exit code back."""
    raise typer.Exit(int(code or Exit.DONE))


@app.callback(result_callback=ended)
def penstock() -> None:
    """Document-AI pipelines on Kafka: every verb takes --json and --help."""


def main(arguments: Sequence[str]) -> int:
    """Run the command with these arguments and give its exit code.

    An interrupt goes on as one: whoever calls this beside other work has to hear of it, not to find a code.
    """
    try:
        typer.main.get_command(app).main(list(arguments), prog_name="penstock")
    except SystemExit as done:
        if done.code == Exit.INTERRUPTED:
            raise KeyboardInterrupt from done
        return done.code if isinstance(done.code, int) else Exit.FAILED
    except Exception as error:
        code = exit_of(error)
        if code is None:
            raise
        print(f"penstock: {error}", file=sys.stderr)
        return code
    return Exit.DONE


def run() -> None:
    """Entry point."""
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)


if __name__ == "__main__":
    run()
