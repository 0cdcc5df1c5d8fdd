"""The audit of the running pipeline: it holds, whatever the other tests have done, and tells what is taken away."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from shared.cli.exits import Exit
from shared.cli.main import main
from tests.cli.installation import lines
from tests.pipeline.live.installation import Documents
from tests.pipeline.live.texts import invoice

Penstock = Callable[..., list[Any]]


def test_the_law_holds_for_what_runs_and_a_removed_row_is_named(
    documents: Documents, penstock: Penstock, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"audited-{number}" for number in range(5)]
    documents.publish([invoice(name) for name in names])
    penstock("audit")  # in the middle of the work
    documents.wait_until_stored(names)
    [told] = penstock("audit")
    assert (told["holds"], told["findings"]) == (True, [])
    assert told["states"]["stored"] >= len(names)
    with psycopg.connect(documents.parts.database or "", autocommit=True) as tables:
        tables.execute("create temp table kept as select * from results where document_id = 'audited-3'")
        tables.execute("delete from results where document_id = 'audited-3'")
        assert main(["audit", "--json"]) == Exit.FAILED
        [told] = lines(capsys.readouterr().out)
        assert [(one["kind"], one["document"]) for one in told["findings"]] == [("missing", "audited-3")]
        tables.execute("insert into results select * from kept")
    penstock("audit", "--stage", "store")
