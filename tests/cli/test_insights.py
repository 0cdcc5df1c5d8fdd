"""`penstock insights` on a real Kafka: what it says, and that its command lists just the letters it speaks of."""

import shlex

import pytest

from schemas.events import Source, Submission, TextExtracted
from shared.cli.exits import Exit
from shared.cli.main import main
from shared.core.failures import Failure
from tests.cli.installation import NOW, Installation, lines, submitted


def extracted(document_id: str, tenant: str) -> TextExtracted:
    """A document that got through extract."""
    source = Source(media_type="text/plain", sha256="0" * 64, size=8, pages=1, method="text", warnings=())
    said = Submission(filename="", content_type="text/plain", tasks=(), metadata={}, submitted_at=NOW)
    return TextExtracted(
        document_id=document_id, tenant=tenant, version=1, batch_id="", submission=said, source=source, text="a letter"
    )


def fill(own: Installation) -> None:
    """Of acme's files over 10 kB two thirds fail; of all others hardly any."""
    codec = own.session.codec
    for number in range(200):
        tenant = ("acme", "bolt")[number % 2]
        large = number % 4 < 2
        if tenant == "acme" and large and number % 3:
            content = b"x" * 20_000
            own.emit_dead("extract", submitted(f"d{number}", tenant=tenant, content=content), Failure.PARSER_TIMEOUT)
            continue
        event = extracted(f"d{number}", tenant)
        if large:
            source = Source(media_type="text/plain", sha256="0" * 64, size=20_000, pages=1, method="text", warnings=())
            event = TextExtracted(**{name: getattr(event, name) for name in event.__slots__} | {"source": source})
        own.producer.produce(f"{own.name}.classify", value=codec.encode(event), key=event.document_id.encode())
    own.emit_dead("extract", submitted("other", tenant="bolt", content=b"x" * 20_000), Failure.PARSER_TIMEOUT)


def test_the_sentence_and_the_letters_that_its_command_lists_are_about_the_same_documents(
    own: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(own)
    assert main(["insights", "--json"]) == Exit.DONE
    [told] = lines(capsys.readouterr().out)
    assert told["documents"] == 201
    [one] = told["insights"]
    assert (one["stage"], one["failure"], one["documents"], one["failed"]) == ("extract", "parser_timeout", 50, 33)
    assert (one["others"], one["others_failed"]) == (151, 1)
    assert main([*shlex.split(one["command"])[1:], "--json"]) == Exit.DONE
    letters = lines(capsys.readouterr().out)
    assert len(letters) == 33
    assert {letter["tenant"] for letter in letters} == {"acme"}
    assert main(["insights"]) == Exit.DONE
    said = capsys.readouterr().out
    assert said.startswith(
        "66 % of documents of tenant acme over 10 kB fail at extract with parser_timeout (33 of 50; "
    )
    assert "extract: parser_timeout 17 % (34 of 201)" in said


def test_failures_older_than_the_successes_that_are_read_are_left_out(
    own: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(own)
    assert main(["insights", "--json", "--last", "20"]) == Exit.DONE
    [told] = lines(capsys.readouterr().out)
    assert told["insights"] == []
    assert 0 < told["documents"] <= 40


def test_where_nothing_has_failed_nothing_is_said(own: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["insights"]) == Exit.DONE
    assert capsys.readouterr().out == "nothing stands out among 0 documents\n"
    own.put("classify", b"d1", b"no event at all")
    own.put("extract.dlq", b"d2", b"nobody of us wrote this")
    own.put("review", None, None)
    assert main(["insights", "--json"]) == Exit.DONE
    assert lines(capsys.readouterr().out) == [{"documents": 0, "insights": []}]
