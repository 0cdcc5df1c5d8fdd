"""Dead letters on a real Kafka: listed, shown, replayed and given up, each exactly once."""

import os
import signal
import subprocess
import sys
from collections import Counter

import pytest

from shared.cli.exits import Exit
from shared.cli.main import main
from shared.core.failures import Failure
from tests.cli.installation import Installation, lines, submitted

GARBAGE = b"\x00\xff\xfe no avro at all \x00"


def test_letters_are_grouped_for_people_and_listed_one_by_one_for_programs(
    own: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        own.emit_dead("extract", submitted(f"d{number}", filename=f"{number}.pdf"), Failure.ENCRYPTED)
    own.bury("extract", b"d9", GARBAGE, Failure.UNDECODABLE)
    assert main(["dlq", "list"]) == Exit.DONE
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row[:3] for row in rows[1:]] == [["encrypted", "extract", "3"], ["undecodable", "extract", "1"]]
    assert main(["dlq", "list", "--json", "--class", "encrypted"]) == Exit.DONE
    listed = lines(capsys.readouterr().out)
    assert {entry["document_id"] for entry in listed} == {"d0", "d1", "d2"}
    assert {"id", "class", "stage", "document_type", "message", "attempts", "failed_at", "filename"} <= listed[0].keys()


@pytest.mark.parametrize(("key", "value"), [(b"d1", GARBAGE), (None, GARBAGE), (b"\xff", b""), (b"d2", None)])
def test_a_letter_that_cannot_be_read_is_listed_shown_and_replayed_byte_for_byte(
    own: Installation, capsys: pytest.CaptureFixture[str], key: bytes | None, value: bytes | None
) -> None:
    own.bury("extract", key, value, Failure.UNDECODABLE)
    assert main(["dlq", "list", "--json"]) == Exit.DONE
    letter_id = lines(capsys.readouterr().out)[0]["id"]
    assert main(["dlq", "show", letter_id, "--json"]) == Exit.DONE
    full = lines(capsys.readouterr().out)[0]
    assert full["value"] == (None if value is None else value.hex())
    assert ["theirs", "kept"] in full["headers"]
    assert main(["dlq", "show", letter_id]) == Exit.DONE
    assert main(["dlq", "replay", letter_id]) == Exit.DONE
    [again] = own.records("ingest")
    dead = own.records("extract.dlq")[0].position
    assert (again.key, again.value) == (key, value)
    assert again.headers[:2] == (("theirs", b"kept"), ("penstock-replayed", str(dead).encode()))
    assert {name for name, _ in again.headers[2:]} == {"penstock-receipt", "penstock-replays"}


def test_a_second_replay_does_nothing(own: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(5):
        own.bury("analyze", f"d{number}".encode(), GARBAGE)
    assert main(["dlq", "replay", "--stage", "analyze", "--json"]) == Exit.DONE
    first = lines(capsys.readouterr().out)[0]
    assert len(first["replayed"]) == 5
    assert main(["dlq", "replay", "--stage", "analyze", "--json"]) == Exit.DONE
    assert lines(capsys.readouterr().out)[0] == {"replayed": [], "refused": {}, "already_resolved": []}
    assert main(["dlq", "replay", first["replayed"][0], "--json"]) == Exit.DONE
    assert lines(capsys.readouterr().out)[0]["already_resolved"] == [first["replayed"][0]]
    assert len(own.records("analyze")) == 5


@pytest.mark.parametrize("note", [b"no json", b"[]", b"{}", b'{"at": "yesterday"}', b"\xff"])
def test_a_note_that_nobody_of_us_wrote_resolves_nothing(
    own: Installation, capsys: pytest.CaptureFixture[str], note: bytes
) -> None:
    own.bury("extract", b"d1", GARBAGE)
    [dead] = own.records("extract.dlq")
    own.put("dlq.resolved", f"extract/{dead.position.partition}/{dead.position.offset}".encode(), note)
    assert main(["dlq", "list", "--json"]) == Exit.DONE
    assert len(lines(capsys.readouterr().out)) == 1


def test_a_dry_run_names_what_would_be_replayed_and_writes_nothing(
    own: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    own.bury("extract", b"d1", GARBAGE)
    own.bury("store", b"d2", b"x" * 1_060_000)
    assert main(["dlq", "replay", "--all", "--dry-run", "--json"]) == Exit.DONE
    planned = lines(capsys.readouterr().out)[0]
    assert {letter["to"] for letter in planned["letters"]} == {f"{own.name}.ingest", f"{own.name}.store"}
    assert [bool(letter["refused"]) for letter in sorted(planned["letters"], key=lambda e: e["id"])] == [False, True]
    assert own.records("ingest", "store", "dlq.resolved") == []


def test_a_letter_too_large_for_its_topic_is_left_and_the_others_go(
    own: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    own.bury("store", b"d1", b"x" * 1_060_000)
    own.bury("store", b"d2", GARBAGE)
    assert main(["dlq", "replay", "--all", "--json"]) == Exit.PARTLY
    answer = lines(capsys.readouterr().out)[0]
    assert (len(answer["replayed"]), len(answer["refused"])) == (1, 1)
    assert [record.key for record in own.records("store")] == [b"d2"]


def test_a_discarded_letter_ends_its_document_with_the_reason(
    own: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    own.emit_dead("extract", submitted("d1", tenant="acme", batch_id="b1"), Failure.CORRUPT)
    assert main(["dlq", "discard", "--all", "--reason", "test file", "--json"]) == Exit.DONE
    capsys.readouterr()
    [end] = own.records("results")
    result = own.session.codec.decode(end.value or b"", own.session.ends)
    assert (result.document_id, result.state, result.reason) == ("d1", "discarded", "test file")
    assert (result.tenant, result.batch_id) == ("acme", "b1")
    assert main(["status", "d1", "--json"]) == Exit.DONE
    assert lines(capsys.readouterr().out)[0]["state"] == "discarded"
    assert main(["dlq", "list", "--json"]) == Exit.DONE
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["replay"], Exit.USAGE, "say which"),
        (["discard", "--all"], Exit.USAGE, "--reason"),
        (["discard", "--all", "--reason", " "], Exit.USAGE, "say why"),
        (["replay", "--class", "encripted"], Exit.USAGE, "did you mean encrypted?"),
        (["list", "--stage", "extrakt"], Exit.USAGE, "it has extract"),
        (["show", "extract/0/99"], Exit.NOT_FOUND, "there is none"),
        (["show", "nonsense"], Exit.NOT_FOUND, "there is none"),
        (["replay", "extract/7/0"], Exit.NOT_FOUND, "nothing was done"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(
    own: Installation, capsys: pytest.CaptureFixture[str], arguments: list[str], code: Exit, message: str
) -> None:
    assert main(["dlq", *arguments]) == code
    assert message in capsys.readouterr().err


SLOW_REPLAY = """
import sys
from shared.cli.choosing import desk_of
from shared.cli.session import open_session
from shared.cli.verbs.dlq import noting
from shared.kafka.selection import Selection
from shared.kafka.resolving import act, replay_record

session, stop_at = open_session(), int(sys.argv[1])
note, seen = noting(session, "replayed", ""), []

def how(letter):
    seen.append(letter.id)
    if len(seen) == stop_at:
        print("waiting", flush=True)
        sys.stdin.readline()
    return [replay_record(session.pipeline, letter)], note(letter)

try:
    act(session.kafka, desk_of(session), Selection(), how, batch=10)
except Exception as error:
    sys.exit(type(error).__name__)
"""


def slow_replay(stop_at: int) -> subprocess.Popen[str]:
    """A replay in a process of its own, ten letters a transaction, that stands still at a letter."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_REPLAY, str(stop_at)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    return process


def test_a_replay_killed_in_the_middle_and_run_again_replays_each_letter_once(
    own: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(40):
        own.bury("analyze", f"d{number}".encode(), GARBAGE)
    with slow_replay(stop_at=25) as process:
        os.kill(process.pid, signal.SIGKILL)
    assert len(own.records("analyze")) == 20
    assert main(["dlq", "replay", "--all", "--canary", "0", "--json"]) == Exit.DONE
    assert len(lines(capsys.readouterr().out)[0]["replayed"]) == 20
    assert set(Counter(record.key for record in own.records("analyze")).values()) == {1}
    assert len(own.records("analyze")) == len({record.key for record in own.records("dlq.resolved")}) == 40


def test_of_two_replays_at_once_the_later_one_finishes_and_no_letter_goes_twice(
    own: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(40):
        own.bury("analyze", f"d{number}".encode(), GARBAGE)
    with slow_replay(stop_at=25) as first:
        assert main(["dlq", "replay", "--all", "--canary", "0", "--json"]) == Exit.DONE
        assert first.stdin is not None
        first.stdin.write("go on\n")
        first.stdin.flush()
        assert first.wait(30) == 1
        assert first.stderr is not None
        assert first.stderr.read().strip() == "Overtaken"
    assert len(lines(capsys.readouterr().out)[0]["replayed"]) == 20
    assert set(Counter(record.key for record in own.records("analyze")).values()) == {1}
    assert len(own.records("analyze")) == 40
