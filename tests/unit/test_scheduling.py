"""Tests of one file run in one process, also where two processes share the work."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict

from tests.scheduling import scope_of

FILES = ("tests/unit/test_lag.py", "tests/unit/test_stride.py", "tests/unit/test_scheduling.py")


def test_what_kills_and_measures_is_one_piece_and_any_other_file_one_of_its_own() -> None:
    assert scope_of("tests/chaos/test_kills.py::test_a") == scope_of("tests/bench/test_engine.py::test_b[x]") == "long"
    assert scope_of("tests/unit/test_lag.py::test_a[tests/chaos/x]") == "tests/unit/test_lag.py"


def test_two_workers_share_files_and_never_the_tests_of_one() -> None:
    command = [sys.executable, "-m", "pytest", "-v", "-k", "not two_workers", "--numprocesses", "2"]
    said = subprocess.run(
        [*command, "--dist", "loadfile", "--no-loadscope-reorder", *FILES], capture_output=True, text=True, check=True
    ).stdout
    workers = defaultdict[str, set[str]](set)
    for worker, file in re.findall(r"^\[(gw\d)\] .* (tests/[\w/]+\.py)::", said, re.MULTILINE):
        workers[file].add(worker)
    assert workers.keys() == set(FILES)
    assert {len(found) for found in workers.values()} == {1}
