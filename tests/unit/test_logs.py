"""The log: one JSON object a line, the document in it, no secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from shared.observe.logs import LONGEST, MASK, about, configure, logger, redact


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    configure("analyze", stream=stream)
    yield stream
    structlog.reset_defaults()
    root.handlers[:], root.level = before


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_when_who_what_and_about_which_document(stream: io.StringIO) -> None:
    with about(document_id="doc-1"):
        logger("engine").warning("dead letter", failure="encrypted")
    [line] = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "dead letter",
        "failure": "encrypted",
        "document_id": "doc-1",
        "service": "analyze",
        "logger": "engine",
        "level": "warning",
    }


def test_what_a_library_logs_is_json_too(stream: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").warning("port %d is taken", 80)
    [line] = lines(stream)
    assert (line["event"], line["logger"], line["service"]) == ("port 80 is taken", "uvicorn.error", "analyze")


def test_a_traceback_is_in_the_line_without_its_secrets(stream: io.StringIO) -> None:
    try:
        raise ConnectionError("cannot reach redis://:s3cret@example.org:6379/0")
    except ConnectionError:
        logger("engine").exception("away")
    assert "s3cret" not in stream.getvalue()
    [line] = lines(stream)
    assert "ConnectionError: cannot reach redis://:***@example.org:6379/0" in line["exception"]


def test_what_is_not_json_becomes_text(stream: io.StringIO) -> None:
    logger("engine").info("odd", value=b"\xff\x00", thing=object, many={1, 2})
    [line] = lines(stream)
    assert line["value"] == "\\xff\x00"


def test_setting_it_up_twice_does_not_say_everything_twice(stream: io.StringIO) -> None:
    configure("analyze", stream=stream)
    logger("engine").info("once")
    assert len(lines(stream)) == 1


def test_what_is_below_the_level_is_not_said(stream: io.StringIO) -> None:
    logger("engine").debug("detail")
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://penstock:hunter2@db:5432/x", "postgresql://penstock:***@db:5432/x"),
        ("rediss://:p@ss:w@cache/0", "rediss://:***@cache/0"),
        ("Authorization: Bearer abcdefghijkl.mno", "Authorization: Bearer ***"),
        ("key sk-ant-REDACTED was refused", "key sk-*** was refused"),
        ("dbname=x password=hunter2 host=y", "dbname=x password=*** host=y"),
        ("http://example.org:8080/path?user@host", "http://example.org:8080/path?user@host"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_secrets_inside_texts_are_masked_and_the_rest_is_left(text: str, shown: str) -> None:
    assert redact(text) == shown


def test_secrets_are_known_by_their_name_however_deep_they_lie() -> None:
    shown = redact(
        {"kafka": [{"sasl.password": "x", "sasl_username": "me"}], "OPENAI_API_KEY": "y", "empty_secret": ""}
    )
    assert shown == {
        "kafka": [{"sasl.password": MASK, "sasl_username": "me"}],
        "OPENAI_API_KEY": MASK,
        "empty_secret": "",
    }


def test_counts_of_tokens_are_no_secret() -> None:
    assert redact({"input_tokens": 5, "output_tokens": 7}) == {"input_tokens": 5, "output_tokens": 7}


def test_documents_and_what_models_say_of_them_are_never_in_a_line(stream: io.StringIO) -> None:
    canary = "Dear Ms Tern, the secret plan is"
    logger("engine").info(
        "odd", content=canary.encode(), text=canary, answer={"total": canary}, nested={"fields": {"a": canary}}
    )
    assert "Tern" not in stream.getvalue()
    [line] = lines(stream)
    assert (line["text"], line["nested"]) == ("*** (32)", {"fields": "*** (1)"})


def test_a_text_without_end_is_cut(stream: io.StringIO) -> None:
    logger("engine").info("odd", reason="x" * 100_000)
    assert len(stream.getvalue()) < LONGEST + 500
    assert "100,000 characters" in stream.getvalue()


def test_the_ids_of_a_trace_are_in_every_line_inside_it(stream: io.StringIO) -> None:
    with about(document_id="doc-1", trace_id="4bf92f35", span_id="00f067aa"):
        logging.getLogger("uvicorn.error").warning("odd")
    [line] = lines(stream)
    assert (line["document_id"], line["trace_id"], line["span_id"]) == ("doc-1", "4bf92f35", "00f067aa")
