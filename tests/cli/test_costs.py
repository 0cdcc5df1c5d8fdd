"""What was spent, as a command tells it: the same everywhere, and a sentence where the question is wrong."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.cli.exits import Exit
from shared.cli.main import main
from shared.core.ledger import Recorded, State
from shared.database.ledger import CallsTable
from tests.cli.installation import Installation, lines, submitted
from tests.ledgers import intent_of


def record(own: Installation, document: str, cost: float, *, unsure: bool = False, tenant: str = "acme") -> Recorded:
    one = intent_of(document)
    scope = replace(one.scope, pipeline=own.name, document_id=document, tenant=tenant)
    intent = replace(one, scope=scope, document_type="invoice", at=datetime(2026, 11, 3, tzinfo=UTC))
    state = State.FAILED if unsure else State.ACCEPTED
    return Recorded(intent, state, "{}", "", 100, 20, cost, 5, unsure=unsure)


def keep(own: Installation, *records: Recorded) -> None:
    async def end() -> None:
        async with own.session.database() as database:
            await CallsTable(database, "one").end(records)

    asyncio.run(end())


def test_costs_are_told_by_what_is_asked_and_by_document_and_batch(
    own: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(own, record(own, "d1", 0.25), record(own, "d2", 0.5, unsure=True), record(own, "d3", 1.0, tenant="other"))
    for document in ("d1", "d2"):
        own.emit("ingest", submitted(document, batch_id="b1"))
    capsys.readouterr()
    assert main(["costs", "--by", "tenant", "--by", "type", "--json"]) == Exit.DONE
    *told, total = lines(capsys.readouterr().out)
    assert [(line["tenant"], line["type"], line["cost_usd"]) for line in told] == [
        ("other", "invoice", 1.0),
        ("acme", "invoice", 0.75),
    ]
    assert (total["cost_usd"], total["unsure_usd"], total["unsure_calls"], total["sure_usd"]) == (1.75, 0.5, 1, 1.25)
    assert main(["costs", "--tenant", "acme", "--since", "2026-11-03", "--until", "2026-11-03"]) == Exit.DONE
    assert capsys.readouterr().out.splitlines()[-1].split()[7:10] == ["0.750000", "0.500000", "0.500000"]
    assert main(["costs", "--since", "2026-11-04", "--json"]) == Exit.DONE
    assert lines(capsys.readouterr().out)[-1]["calls"] == 0
    assert main(["costs", "--by", "unsure", "--json"]) == Exit.DONE
    [one] = lines(capsys.readouterr().out)
    assert (one["document_id"], one["pending"], one["name"][:9]) == ("d2", False, "penstock-")
    assert main(["status", "d2", "--json"]) == Exit.DONE
    assert lines(capsys.readouterr().out)[0]["cost"]["unsure_usd"] == 0.5
    assert main(["status", "--batch", "b1", "--json"]) == Exit.DONE
    assert lines(capsys.readouterr().out)[0]["cost"]["cost_usd"] == 0.75
    assert main(["status", "--batch", "b1"]) == Exit.DONE
    assert "unsure calls" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--by", "colour"], "costs can be told by document, type, tenant"),
        (["--by", "unsure", "--by", "day"], "or alone by unsure"),
        (["--since", "yesterday"], "give a day as 2026-11-24"),
        (["--limit", "0"], "limit"),
    ],
)
def test_a_wrong_question_is_answered_with_what_can_be_asked(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["costs", *arguments]) == Exit.USAGE
    assert said in capsys.readouterr().err
