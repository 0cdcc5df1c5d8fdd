"""`penstock breakers`: what each breaker is, why, and since when; and an operator's word."""

import uuid

import pytest

from shared.cli.exits import Exit
from shared.cli.main import main
from tests.cli.installation import Installation, lines


def test_a_trip_and_a_reset_are_shown_with_their_reasons_and_kept_as_events(
    own: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"model:{uuid.uuid4().hex}"
    assert main(["breakers", "trip", name, "--reason", "the provider asked us to", "--json"]) == Exit.DONE
    [[report]] = lines(capsys.readouterr().out)
    assert (report["name"], report["state"], report["calls"], report["useless"]) == (name, "open", 0, 0)
    assert report["reason"].endswith("the provider asked us to")
    assert main(["breakers"]) == Exit.DONE
    assert name in capsys.readouterr().out
    assert main(["breakers", "reset", name]) == Exit.DONE
    capsys.readouterr()
    assert main(["breakers", "events", name, "--json"]) == Exit.DONE
    [found] = lines(capsys.readouterr().out)
    assert [(event["name"], event["state"]) for event in found] == [(name, "closed"), (name, "open")]
    assert "reset by" in found[0]["reason"]
    assert main(["breakers", "events", name, "--limit", "1"]) == Exit.DONE
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["AT", "NAME", "STATE", "REASON"]
    assert len(rows) == 1


def test_a_breaker_that_nobody_knows_is_not_found(own: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["breakers", "reset", f"model:{uuid.uuid4().hex}"]) == Exit.NOT_FOUND == 4
    assert "there is none; known are" in capsys.readouterr().err
    assert main(["breakers", "events", f"model:{uuid.uuid4().hex}", "--json"]) == Exit.DONE
    assert lines(capsys.readouterr().out) == [[]]
