"""`penstock drill` where there is nothing to drill, and with a name that is none."""

from pathlib import Path

import pytest

from shared.cli.exits import Exit
from shared.cli.main import main


@pytest.fixture(autouse=True)
def nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A state folder in which nothing runs."""
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path))


def test_where_nothing_runs_nothing_is_broken(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drill"]) == Exit.UNREACHABLE == 6
    assert "start it with `penstock up --detach`" in capsys.readouterr().err


def test_a_drill_that_is_none_is_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drill", "kill-everything"]) == Exit.USAGE == 2
    assert "there are kill-stage" in capsys.readouterr().err
