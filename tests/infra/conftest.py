"""State folders for installations of a test's own, stopped and removed afterwards."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local import down


@pytest.fixture
def home() -> Iterator[Path]:
    """A state folder with a short path, in which PostgreSQL can live also when the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="ps-"))
    folder.chmod(0o711)
    yield folder
    down(folder)
    shutil.rmtree(folder, ignore_errors=True)
