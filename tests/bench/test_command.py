"""The command: what it refuses, and that an interrupted run leaves nothing behind."""

import os
import signal
import subprocess
import sys

import pytest

from infra.bench.homes import temporary_home
from shared.cli.exits import Exit
from shared.cli.main import main
from tests.infra.waiting import processes_of, wait_until


@pytest.mark.parametrize("what", ["stage", "review", "insight", "engin"])
def test_what_cannot_be_measured_is_refused_with_what_can(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", what, "--json"]) == Exit.USAGE
    said = capsys.readouterr()
    assert (f"bench {what}: " in said.err, "there is engine" in said.err, said.out) == (True, True, "")


def test_an_unknown_scenario_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "engine", "--only", "kill"]) == Exit.USAGE
    assert "no scenario kill; there are slow_calls, kills" in capsys.readouterr().err


def test_a_run_that_is_told_to_end_leaves_no_process_and_no_folder() -> None:
    command = [sys.executable, "-m", "shared.cli.main", "bench", "engine", "--small", "--only", "slow_calls"]
    with temporary_home() as folder:
        environment = {**os.environ, "TMPDIR": str(folder)}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            wait_until(lambda: any("infra.bench.sample" in line for line in processes_of(folder)), 60)
            running.send_signal(signal.SIGTERM)
            said, _ = running.communicate(timeout=60)
        assert (running.returncode, said) == (Exit.INTERRUPTED, b"")
        assert processes_of(folder) == []
        assert list(folder.iterdir()) == []
