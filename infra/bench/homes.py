"""State folders that go away with the test run, however it ends."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# A supervisor stops when its state folder is gone, so this ends what a killed test run had detached, too.
REMOVE_WHEN_ALONE = "import shutil, sys; sys.stdin.read(); shutil.rmtree(sys.argv[1], ignore_errors=True)"

KAFKA_HEAP_MIB = 768
"""For a broker that serves many tests or scenarios, each with topics of its own that nobody deletes."""


@contextmanager
def temporary_home() -> Iterator[Path]:
    """Give a state folder with a short path, in which PostgreSQL can live also when the tests run as root."""
    home = Path(tempfile.mkdtemp(prefix="ps-"))
    # Only this very folder, made here, is opened.
    home.chmod(0o711)
    guard = [sys.executable, "-I", "-S", "-c", REMOVE_WHEN_ALONE, str(home)]
    with subprocess.Popen(guard, stdin=subprocess.PIPE, start_new_session=True):
        try:
            yield home
        finally:
            shutil.rmtree(home, ignore_errors=True)
