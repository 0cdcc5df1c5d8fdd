"""State folders for installations of a test's own, stopped and removed afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.bench.homes import temporary_home
from infra.local import down


@pytest.fixture
def home() -> Iterator[Path]:
    """A state folder; whatever was started in it is stopped at the end of the test."""
    with temporary_home() as folder:
        yield folder
        down(folder)
