"""What a command says: data on stdout, talk on stderr, and talk only where a person is looking."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Data as JSON on stdout.")]
"""The option that every verb has."""
PipelineName = Annotated[
    str, typer.Option("--pipeline", metavar="MODULE:NAME", help="Another pipeline than the setting's.")
]
"""The option of every verb that speaks of a pipeline."""

CELL = 72
"""Widest cell of a table; `--json` has all of it."""


def data(value: Any) -> None:
    """One JSON value on a line of stdout."""
    print(json.dumps(value, ensure_ascii=False, default=plain), flush=True)


def plain(value: Any) -> Any:
    """What JSON does not know by itself."""
    if isinstance(value, datetime):
        return value.isoformat()
    return dict(value) if isinstance(value, Mapping) else str(value)


def say(line: str) -> None:
    """A line of talk, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{line}", file=sys.stderr, flush=True)


def progress(line: str) -> None:
    """A line of talk that the next one takes the place of, on a terminal only; an empty one takes it away."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Aligned columns on stdout."""
    cells = [[cell(value) for value in row] for row in rows]
    widths = [max(len(row[i]) for row in [[*heads], *cells]) for i in range(len(heads))]
    for row in [[head.upper() for head in heads], *cells]:
        print("  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip())


def cell(value: object) -> str:
    """A value as it stands in a table: one line that cannot steer the terminal."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    text = shown("" if value is None else str(value))
    return text if len(text) <= CELL else f"{text[: CELL - 1]}…"


def shown(text: str) -> str:
    """Text that came from outside, without line breaks and control characters."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
