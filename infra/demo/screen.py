"""What the demo prints: headings, the commands a person would type, what they said, and tables."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

CONSOLE = Console(highlight=False, soft_wrap=True)


def heading(text: str) -> None:
    """Begin a part."""
    CONSOLE.print()
    CONSOLE.rule(Text(text, style="bold"), align="left")


def note(text: str) -> None:
    """Say something in the demo's own voice."""
    CONSOLE.print(Text(text))


def typed(command: str) -> None:
    """Show a command as a person would type it."""
    CONSOLE.print(Text("$ ", style="dim") + Text(command, style="bold cyan"))


def said(text: str) -> None:
    """Show what a command printed."""
    for line in text.rstrip().splitlines():
        CONSOLE.print(Text(f"  {line}"))


def good(text: str) -> None:
    """Say that something was seen to hold."""
    CONSOLE.print(Text("✓ ", style="bold green") + Text(text))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[int] = ()) -> None:
    """Show rows; the columns numbered in `right` are numbers."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for number, column in enumerate(columns):
        drawn.add_column(column, style="", header_style="bold", justify="right" if number in right else "left")
    for row in rows:
        drawn.add_row(*(str(cell) for cell in row))
    CONSOLE.print(drawn)
