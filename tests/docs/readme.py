"""Reads the README as a person would who follows it from top to bottom.

    ```console    commands after `$ `, run in order, each followed by what it prints
    ```python     run in order with them
    ```sh         not run: too long, or of the world outside; checked to exist
    | … |         a table whose second column has `$ commands`: run in order with them, the last one prints the third

In what is printed `…` stands for anything, and one space for any number of them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
FENCE = "```"


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    kind: str
    line: int
    """Of the README."""
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """Its content."""
        return "\n".join(self.lines) + "\n"


@dataclass(frozen=True)
class Step:
    """Something to run, and what it must say."""

    line: int
    kind: str
    """`console` or `python`."""
    text: str
    shown: tuple[str, ...] = ()
    """What its output has to contain."""
    whole: bool = False
    """What is shown is all of the output."""

    def agrees(self, output: str) -> bool:
        """Whether the output is what is shown."""
        said = " ".join(output.split())
        find = re.fullmatch if self.whole else re.search
        return all(find(pattern(one), said) for one in self.shown)


def pattern(shown: str) -> str:
    """What is shown as a regular expression."""
    return ".*".join(re.escape(" ".join(part.split())) for part in shown.split("…"))


def text() -> str:
    """The README."""
    return README.read_text("utf-8")


def blocks(kind: str) -> list[Block]:
    """The fenced blocks of one kind."""
    return [part for part in parts() if isinstance(part, Block) and part.kind == kind]


def rows() -> list[tuple[str, ...]]:
    """The cells of every row of every table."""
    return [cells(part[1]) for part in parts() if not isinstance(part, Block) and part[1].startswith("|")]


def cells(row: str) -> tuple[str, ...]:
    """The cells of a row."""
    return tuple(cell.strip() for cell in row.strip("|").split("|"))


def parts() -> Iterator[Block | tuple[int, str]]:
    """Blocks, and the lines between them with their numbers."""
    opened: tuple[str, int] | None = None
    inside: list[str] = []
    for number, line in enumerate(text().splitlines(), 1):
        if not line.startswith(FENCE):
            if opened:
                inside.append(line)
            else:
                yield number, line
        elif opened:
            yield Block(opened[0], opened[1], tuple(inside))
            opened, inside = None, []
        else:
            opened = line.removeprefix(FENCE), number


def steps() -> Iterator[Step]:
    """Everything that is run, in order."""
    for part in parts():
        if not isinstance(part, Block):
            yield from steps_of_row(*part)
        elif part.kind == "console":
            yield from steps_of_console(part)
        elif part.kind == "python":
            yield Step(part.line, "python", part.text)


def steps_of_row(line: int, row: str) -> Iterator[Step]:
    """The commands of a table's row."""
    if not row.startswith("|") or "`$ " not in row:
        return
    _, commands, shown = cells(row)
    *earlier, last = re.findall(r"`\$ ([^`]+)`", commands)
    yield from (Step(line, "console", command) for command in earlier)
    yield Step(line, "console", last, tuple(re.findall(r"`([^`]+)`", shown)))


def steps_of_console(block: Block) -> Iterator[Step]:
    """The commands of a console block, each with the lines behind it."""
    for part in block.text.split("\n$ ") if block.text.startswith("$ ") else ():
        command, *shown = part.removeprefix("$ ").strip().splitlines()
        yield Step(block.line, "console", command, (" ".join(shown),) if shown else (), whole=True)
