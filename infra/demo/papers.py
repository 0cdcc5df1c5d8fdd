"""The few invoices that the tour publishes: plain text, each with a mark by which the provider can be told to fail."""

from pathlib import Path

INVOICE = """Brightwater Tools Ltd
12 Harbour Road, Leeds

INVOICE

Invoice No: {number}
Invoice date: 2 March 2026
Due date: 1 April 2026

Bill to: Northgate School
Reference: {mark}

2 cordless drills        240.00
5 safety goggles          45.00

Total: GBP 285.00
"""


def invoices(folder: Path, mark: str, run: str, count: int) -> Path:
    """Write so many invoices that carry the mark into a folder of their own; gives the folder."""
    place = folder / mark.replace(" ", "-").lower()
    place.mkdir(parents=True, exist_ok=True)
    for path in place.iterdir():
        path.unlink()
    for number in range(1, count + 1):
        text = INVOICE.format(number=f"{run}-{number}", mark=mark)
        (place / f"invoice-{run}-{number}.txt").write_text(text, "utf-8")
    return place
