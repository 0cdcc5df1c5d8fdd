"""The main job, judged from outside: published by a plain client, every sample ends as it should, and the sum fits."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.bench import outsider
from tests.pipeline.live.installation import STAGES, SUBMITTED, Documents

FOLDER = Path("infra/samples/documents")
EXPECTED: dict[str, dict[str, Any]] = json.loads(Path("infra/samples/expected.json").read_text("utf-8"))
GOOD = {name: said for name, said in EXPECTED.items() if "failure" not in said}
BAD = {name: said["failure"] for name, said in EXPECTED.items() if "failure" in said}
VALUES = {
    name: outsider.encoded(SUBMITTED, {"document_id": name, "content": (FOLDER / name).read_bytes()})
    for name in EXPECTED
}


@dataclass(frozen=True)
class Ended:
    """Where every sample was found at the end."""

    rows: dict[str, dict[str, Any]]
    results: list[dict[str, Any]]
    dead: dict[str, list[outsider.Record]]
    """By stage."""


@pytest.fixture(scope="module")
def ended(documents: Documents) -> Ended:
    """All samples, published without any header or file name by a client that knows the `.avsc` alone."""
    outsider.publish(documents.kafka, "documents.ingest", VALUES.items())

    def buried() -> dict[str, list[outsider.Record]]:
        return {stage: documents.read(f"{stage}.dlq", EXPECTED) for stage in STAGES}

    documents.wait_until_stored(GOOD, 150)
    documents.herd.wait_until(lambda: len(buried()["extract"]) == len(BAD), 30, lambda: str(buried()))
    return Ended(documents.rows(EXPECTED), documents.results(EXPECTED), buried())


def test_every_good_document_is_stored_with_its_type_its_track_and_its_fields(ended: Ended) -> None:
    found = {
        name: {"state": row["state"], **{key: row[key] for key in ("media_type", "document_type", "track", "fields")}}
        for name, row in ended.rows.items()
    }
    wanted = {
        name: {"state": "stored", **{key: said[key] for key in ("media_type", "document_type", "track", "fields")}}
        for name, said in GOOD.items()
    }
    assert found == wanted


def test_every_bad_document_is_a_dead_letter_of_its_class_with_its_bytes_as_they_came(ended: Ended) -> None:
    found = {
        key.decode(): (headers["penstock-failure"].decode(), value) for key, value, headers in ended.dead["extract"]
    }
    assert found == {name: (failure, VALUES[name]) for name, failure in BAD.items()}


def test_a_dead_letter_says_where_when_how_often_and_why_it_failed(ended: Ended) -> None:
    for key, _, headers in ended.dead["extract"]:
        assert headers["penstock-stage"] == b"extract"
        assert headers["penstock-attempts"] == b"1"
        assert headers["penstock-origin"].startswith(b"documents.ingest/")
        assert len(headers["penstock-message"]) > 10, key
        assert headers["penstock-failed-at"].endswith(b"+00:00")


def test_each_document_is_stored_once_or_a_dead_letter_and_together_they_are_all_that_were_published(
    ended: Ended,
) -> None:
    dead = [key.decode() for records in ended.dead.values() for key, _, _ in records]
    places = Counter(dead) + Counter(one["document_id"] for one in ended.results)
    assert places == dict.fromkeys(EXPECTED, 1)


def test_the_results_topic_and_the_table_say_the_same(ended: Ended) -> None:
    for told in ended.results:
        row = ended.rows[told["document_id"]]
        del told["event_id"]
        for name in ("submitted_at", "finished_at"):  # Avro's are milliseconds, the table's are finer
            told[name], row[name] = (int(moment.timestamp() * 1000) for moment in (told[name], row[name]))
        assert {name: row[name] for name in told} == told


def test_a_document_without_a_model_costs_nothing_and_one_with_a_model_names_it_and_its_cost(ended: Ended) -> None:
    for name, row in ended.rows.items():
        asked = GOOD[name]["track"] == "technical"
        assert (bool(row["models"]), row["cost_usd"] > 0, bool(row["calls"])) == (asked, asked, asked), name
