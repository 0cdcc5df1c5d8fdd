"""Positions that a reader keeps in the tables it fills, in one transaction with what it read.

Whoever writes names the positions that its records were read from. Where the table has others, somebody else has
written meanwhile, and nothing of it is kept: so each record counts once, whoever is killed when.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.core.errors import PenstockError
from shared.core.event import Partition


class Overtaken(PenstockError):
    """The positions are not those that the records were read from."""


def positions_of(rows: Sequence[Mapping[str, Any]]) -> dict[Partition, int]:
    """Rows of positions, by partition."""
    return {(row["topic"], row["partition"]): row["next"] for row in rows}
