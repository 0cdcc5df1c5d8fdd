"""Every exit code, by a command that ends in it, and the sentence it ends with."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shared.cli.exits import Exit, exit_of
from shared.cli.main import VERBS, main
from shared.database.reviews import ReviewsTable
from shared.ports import ReviewItem
from tests.cli.installation import NOW, Installation, lines


@pytest.fixture
def nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder in which nothing runs and nothing is set."""
    for name in list(os.environ):
        if name.startswith("PENSTOCK_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_done_is_0(nothing: Path) -> None:
    assert main(["config"]) == Exit.DONE == 0


def test_thresholds_are_shown_with_where_they_came_from_and_a_wrong_one_is_usage(
    nothing: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = nothing / "penstock.toml"
    file.write_text("[quality.types.contract]\nretry_below = 0.9\n[analyze.models.small]\ngeneral_above = 0.6\n")
    assert main(["config", "--json"]) == Exit.DONE
    [shown] = lines(capsys.readouterr().out)
    found = {row["setting"]: (row["value"], row["from"]) for row in shown}
    assert found["quality.retry_below"] == ("0.7", "default")
    assert found["quality.types.contract.retry_below"] == ("0.9", "penstock.toml")
    assert found["analyze.specialist_above"] == ("0.7", "default")
    assert found["analyze.models.small.general_above"] == ("0.6", "penstock.toml")
    assert found["validate.confidence_below"] == ("0.8", "default")
    assert found["insights.keep"] == ("90000", "default")
    file.write_text("[journal]\nevery = 1\n")
    assert main(["config"]) == Exit.USAGE
    assert "journal.every" in capsys.readouterr().err
    file.write_text("[analyze.types.contrat]\ngeneral_above = 0.6\n")
    assert main(["config"]) == Exit.USAGE
    assert "analyze.types.contrat" in capsys.readouterr().err


def test_failed_is_1_and_names_the_remedy(nothing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scale", "analyze=2"]) == Exit.FAILED == 1
    assert "penstock up" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["stauts"], "Did you mean 'status'"),
        (["status", "--jsn"], "--json"),
        (["status"], "name a document"),
        (["scale", "analyze=many"], "STAGE=N"),
        (["topology", "--pipeline", "shared.pipelines.documents:DOCUMENT"], "MODULE:NAME"),
        (["try", "extrakt", "."], "did you mean extract?"),
        (["publish", ".", "--task", "sumarization"], "is unknown"),
    ],
)
def test_usage_is_2_and_a_typo_gets_a_suggestion(
    nothing: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    (nothing / "letter.txt").write_text("Dear Sir")
    assert main(arguments) == Exit.USAGE == 2
    assert said.lower() in capsys.readouterr().err.lower()


def test_a_setting_that_nobody_knows_is_usage(
    nothing: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_REDDIS_URL", "redis://somewhere")
    assert main(["config"]) == Exit.USAGE
    assert "did you mean PENSTOCK_REDIS_URL?" in capsys.readouterr().err


def test_partly_done_is_3(nothing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (nothing / "letter.txt").write_text("Dear Sir, thank you for your letter.")
    (nothing / "nothing.txt").write_text("")
    assert main(["try", "extract", ".", "--json"]) == Exit.PARTLY == 3
    good, bad = lines(capsys.readouterr().out)
    assert (good["outcome"], good["text"].strip()) == ("ok", "Dear Sir, thank you for your letter.")
    assert (bad["path"], bad["outcome"]) == ("nothing.txt", "empty")


def test_not_found_is_4(nothing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publish", "missing.pdf"]) == Exit.NOT_FOUND == 4
    assert "missing.pdf" in capsys.readouterr().err


def test_refused_is_5(own: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    review_id = f"{own.name}.review/0/0"

    async def request() -> None:
        async with own.session.database() as database:
            item = ReviewItem(review_id, "d1", own.name, "classify", "low_confidence", "odd", b"garbage", NOW)
            await ReviewsTable(database, own.name).request([item])

    asyncio.run(request())
    assert main(["review", "list", "--json"]) == Exit.DONE
    assert lines(capsys.readouterr().out)[0]["review_id"] == review_id
    assert main(["review", "show", review_id, "--json"]) == Exit.DONE
    assert "unreadable" in lines(capsys.readouterr().out)[0]["proposal"]
    assert main(["review", "decide", review_id, "reject", "--note", "no letter", "--by", "ann"]) == Exit.DONE
    assert main(["review", "decide", review_id, "approve"]) == Exit.REFUSED == 5
    assert "ann has decided already: reject" in capsys.readouterr().err
    assert main(["review", "decide", f"{own.name}.review/0/9", "approve"]) == Exit.NOT_FOUND


@pytest.mark.parametrize(
    "arguments", [["status", "d1"], ["dlq", "list"], ["results"], ["breakers"], ["review", "list"]]
)
def test_a_part_that_is_not_there_is_6_and_the_remedy_is_named(
    nothing: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main(arguments) == Exit.UNREACHABLE == 6
    assert "penstock up" in capsys.readouterr().err


def test_a_redis_that_does_not_answer_is_6(nothing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_REDIS_URL", "redis://127.0.0.1:1/0")
    assert main(["breakers"]) == Exit.UNREACHABLE


def test_timeout_is_7(own: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "letter.txt").write_text("Dear Sir")
    assert main(["publish", str(tmp_path / "letter.txt"), "--wait", "--timeout", "0", "--json"]) == Exit.TIMEOUT == 7
    assert lines(capsys.readouterr().out)[0]["on_their_way"] == 1


def test_interrupted_is_130(own: Installation, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Sir")
    command = [sys.executable, "-m", "shared.cli.main", "publish", str(tmp_path / "letter.txt"), "--wait"]
    # A run in the background may have been told to ignore interrupts, and whatever it starts would ignore them too.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        own.wait_for_record("ingest")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == Exit.INTERRUPTED == 130
    assert "Traceback" not in said


def test_an_error_nobody_expected_keeps_its_traceback() -> None:
    assert exit_of(ZeroDivisionError()) is None


def test_help_names_every_verb_and_imports_none_of_them() -> None:
    script = """
import sys
from shared.cli.main import main
code = main(["--help"])
heavy = {"confluent_kafka", "pydantic", "psycopg", "httpx", "rich", "fastavro"} & sys.modules.keys()
sys.exit(f"imported {heavy}" if heavy else code)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(f"\n  {verb} " in done.stdout for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_and_json(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--help"]) == Exit.DONE
    said = capsys.readouterr().out
    if verb in ("dlq", "review"):
        assert main([verb, "list", "--help"]) == Exit.DONE
        said = capsys.readouterr().out
    if verb == "journal":
        assert main([verb, "batches", "--help"]) == Exit.DONE
        said = capsys.readouterr().out
    assert "--json" in said
