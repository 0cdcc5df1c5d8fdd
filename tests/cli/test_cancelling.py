"""`penstock cancel` on a real Kafka with no stage running: what holds at once, what ends at once, what is refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.events import DocumentResult
from shared.cli.exits import Exit
from shared.cli.main import main
from shared.core.cancellation import BATCH, DOCUMENT, Cancellation
from shared.core.failures import Failure
from shared.kafka.cancelled import say, words
from shared.pipelines.ended import ended
from tests.cli.installation import NOW, Installation, lines, submitted

Said = pytest.CaptureFixture[str]
WHY = ("--reason", "the wrong customer", "--timeout", "0")


def told(capsys: Said, *arguments: str, code: Exit = Exit.DONE) -> Any:
    """What the command says with --json; nothing where it fails."""
    assert main([*arguments, "--json"]) == code
    out = lines(capsys.readouterr().out)
    return out[0] if out else None


def ends(own: Installation) -> list[tuple[str, str]]:
    """Documents and states on the results topic."""
    found = [own.session.codec.decode(one.value or b"", (DocumentResult,)) for one in own.records("results")]
    return sorted((one.document_id, one.state) for one in found)


def store(own: Installation, document_id: str, **fields: Any) -> None:
    own.emit("results", ended(submitted(document_id, **fields), document_id, "stored", "", datetime.now(UTC)))


def state(capsys: Said, document_id: str) -> str:
    return str(told(capsys, "status", document_id)["state"])


def test_a_document_that_waits_is_cancelled_at_once_whether_a_stage_runs_or_not(
    own: Installation, capsys: Said
) -> None:
    own.emit("ingest", submitted("a", version=2))
    first = told(capsys, "cancel", "a", *WHY)
    assert (first["document"], first["changed"], first["version"]) == ("a", True, 2)
    assert (first["reason"], first["states"]) == ("the wrong customer", {"cancelled": 1})
    assert [one["stage"] for one in first["pending"]] == ["extract"]
    assert state(capsys, "a") == "cancelled"
    again = told(capsys, "cancel", "a", "--reason", "another one", "--timeout", "0")
    assert (again["changed"], again["reason"]) == (False, "the wrong customer")
    own.emit("ingest", submitted("a", version=3))
    assert state(capsys, "a") == "waiting", "a newer version flows"
    assert told(capsys, "cancel", "a", *WHY)["version"] == 3


def test_a_dead_letter_of_a_cancelled_document_is_resolved_with_its_end(own: Installation, capsys: Said) -> None:
    own.emit_dead("extract", submitted("a"), Failure.ENCRYPTED)
    own.bury("extract", b"b", b"no avro", Failure.UNDECODABLE)
    own.emit_dead("extract", submitted("c"), Failure.ENCRYPTED)
    for name in "ab":
        assert told(capsys, "cancel", name, *WHY)["pending"] == []
        assert state(capsys, name) == "cancelled"
    assert ends(own) == [("a", "cancelled"), ("b", "cancelled")]
    assert [one["document_id"] for one in lines_of(capsys, "dlq", "list")] == ["c"]
    assert told(capsys, "cancel", "a", *WHY)["changed"] is False
    assert len(ends(own)) == 2


def lines_of(capsys: Said, *arguments: str) -> list[Any]:
    assert main([*arguments, "--json"]) == Exit.DONE
    return lines(capsys.readouterr().out)


def test_a_command_that_was_killed_behind_its_word_is_finished_by_the_next(own: Installation, capsys: Said) -> None:
    own.emit_dead("extract", submitted("a", batch_id="b1"), Failure.ENCRYPTED)
    word = Cancellation(kind=BATCH, name="b1", by="ada", reason="why", at=NOW, until=NOW + timedelta(days=1))
    say(own.session.kafka, own.session.pipeline, word)
    assert state(capsys, "a") == "cancelled", "the word alone holds"
    done = told(capsys, "cancel", "--batch", "b1", *WHY)
    assert (done["by"], done["changed"], done["pending"]) == ("ada", True, [])
    assert ends(own) == [("a", "cancelled")]
    assert told(capsys, "cancel", "--batch", "b1", *WHY)["changed"] is False


def test_what_has_ended_is_refused_with_its_end_and_what_nobody_met_is_not_found(
    own: Installation, capsys: Said
) -> None:
    store(own, "a")
    assert main(["cancel", "a", *WHY]) == Exit.REFUSED
    assert "document a is final already: stored, version 1" in capsys.readouterr().err
    store(own, "b", batch_id="b1")
    assert main(["cancel", "--batch", "b1", *WHY]) == Exit.REFUSED
    assert "all 1 documents have ended already" in capsys.readouterr().err
    assert main(["cancel", "nobody", *WHY]) == Exit.NOT_FOUND
    assert main(["cancel", "--batch", "nothing", *WHY]) == Exit.NOT_FOUND
    assert not words(own.session.kafka, own.session.pipeline), "no word was left behind"


def test_a_batch_is_cancelled_as_far_as_it_has_not_ended(own: Installation, capsys: Said) -> None:
    store(own, "stored", batch_id="b1")
    own.emit("ingest", submitted("waiting", batch_id="b1"))
    own.emit("ingest", submitted("ahead", batch_id="b1", submitted_at=datetime.now(UTC) + timedelta(hours=1)))
    own.emit("ingest", submitted("other", batch_id="b2"))
    own.emit_dead("extract", submitted("dead", batch_id="b1"), Failure.ENCRYPTED)
    done = told(capsys, "cancel", "--batch", "b1", *WHY)
    assert (done["batch"], done["changed"], done["states"]) == ("b1", True, {"stored": 1, "cancelled": 3})
    assert [one["document_id"] for one in done["pending"]] == ["ahead", "waiting"]
    assert state(capsys, "other") == "waiting"
    later = datetime.now(UTC) + timedelta(hours=2)
    own.emit("ingest", submitted("later", batch_id="b1", submitted_at=later))
    assert state(capsys, "later") == "waiting", "what is handed in later flows"
    assert told(capsys, "status", "--batch", "b1")["states"] == {"stored": 1, "cancelled": 3, "waiting": 1}
    more = told(capsys, "cancel", "--batch", "b1", *WHY)
    assert (more["changed"], more["states"]["cancelled"]) == (True, 4)


def test_it_works_while_postgresql_and_redis_are_away(
    own: Installation, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.emit("ingest", submitted("a", batch_id="b1"))
    own.emit_dead("extract", submitted("b", batch_id="b1"), Failure.ENCRYPTED)
    monkeypatch.setenv("PENSTOCK_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/nothing")
    monkeypatch.setenv("PENSTOCK_REDIS_URL", "redis://127.0.0.1:9/0")
    assert told(capsys, "cancel", "--batch", "b1", *WHY)["states"] == {"cancelled": 2}
    assert told(capsys, "cancel", "a", *WHY)["changed"] is False
    assert words(own.session.kafka, own.session.pipeline).find(DOCUMENT, "a") is None


@pytest.mark.parametrize(
    "arguments",
    [(), ("a", "--batch", "b1"), ("a", "--reason", " "), ("a", "--timeout", "-1"), ("\udcff",)],
)
def test_what_cannot_be_meant_is_a_usage_error(own: Installation, arguments: tuple[str, ...]) -> None:
    reason = () if "--reason" in arguments else ("--reason", "why")
    assert main(["cancel", *arguments, *reason]) == Exit.USAGE


def test_a_reason_has_to_be_given(own: Installation) -> None:
    assert main(["cancel", "a"]) == Exit.USAGE
