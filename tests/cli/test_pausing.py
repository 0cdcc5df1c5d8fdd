"""`penstock pause` and `resume`: one word for all processes of a stage, kept where all of them hear it."""

import pytest

from shared.cli.exits import Exit
from shared.cli.main import main
from tests.cli.installation import Installation, lines


def test_a_stage_is_paused_once_and_resumed_once(own: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for verb in ("pause", "pause", "resume", "resume"):
        assert main([verb, "analyze", "--json"]) == Exit.DONE
        said += lines(capsys.readouterr().out)
    assert [(one["paused"], one["changed"]) for one in said] == [
        (True, True),
        (True, False),
        (False, True),
        (False, False),
    ]


def test_a_pause_says_why_since_when_and_how_it_ends(own: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pause", "analyze", "--reason", "prices change at noon"]) == Exit.DONE
    assert "penstock resume analyze" in capsys.readouterr().out
    assert main(["pause", "analyze"]) == Exit.DONE
    assert "paused already, since" in capsys.readouterr().out
    assert main(["pause", "analyze", "--json"]) == Exit.DONE
    assert "prices change at noon" in lines(capsys.readouterr().out)[0]["reason"]
    assert main(["resume", "analyze"]) == Exit.DONE
    assert main(["resume", "analyze"]) == Exit.DONE
    assert "nothing to do" in capsys.readouterr().out


def test_a_pause_is_of_one_pipeline_and_no_breaker(own: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pause", "analyze"]) == Exit.DONE
    assert main(["resume", "analyze", "--pipeline", "shared.pipelines.documents:DOCUMENTS", "--json"]) == Exit.DONE
    assert lines(capsys.readouterr().out.splitlines()[-1])[0]["changed"] is False
    assert main(["breakers", "--json"]) == Exit.DONE
    assert "stage:" not in capsys.readouterr().out
    for verb in ("trip", "reset"):
        assert main(["breakers", verb, f"stage:{own.name}.analyze"]) == Exit.USAGE
        assert "penstock pause" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("stage", "said"), [("analyse", "did you mean analyze?"), ("ingest", "there are extract, classify")]
)
def test_a_stage_that_is_not_there_is_usage(
    own: Installation, capsys: pytest.CaptureFixture[str], stage: str, said: str
) -> None:
    for verb in ("pause", "resume"):
        assert main([verb, stage]) == Exit.USAGE
        assert said in capsys.readouterr().err


@pytest.mark.parametrize("url", ["", "redis://127.0.0.1:1/0"])
def test_a_pause_that_would_reach_nobody_is_refused(
    own: Installation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    monkeypatch.setenv("PENSTOCK_REDIS_URL", url)
    for verb in ("pause", "resume"):
        assert main([verb, "analyze"]) == Exit.UNREACHABLE == 6
        assert "redis" in capsys.readouterr().err.lower()
