"""The doors of the service, with counting that is made up."""

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from shared.runtime.insights_service import pages


class MadeUp:
    """Counts nothing, and says what it was asked."""

    ready, partitions, trouble = True, [0], ""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...

    def page(self, window: str, last: int) -> dict[str, Any]:
        return {"5m": {"asked": last}}[window]

    def totals(self) -> dict[str, int]:
        return {"x": 1}


async def asked(path: str, counting: MadeUp | None = None) -> tuple[int, Any]:
    app = httpx.ASGITransport(Starlette(routes=pages(counting or MadeUp())))
    async with httpx.AsyncClient(transport=app, base_url="http://insights") as client:
        answer = await client.get(path)
    return answer.status_code, answer.json()


async def test_the_page_is_of_five_minutes_and_the_last_hours_unless_it_is_asked_otherwise() -> None:
    assert await asked("/insights") == (200, {"asked": 60})
    assert await asked("/insights?window=5m&last=3") == (200, {"asked": 3})


@pytest.mark.parametrize("query", ["last=0", "last=-1", "last=x", "last=1e3", "last=9999999999", "window=2m"])
async def test_a_wrong_question_is_answered_with_what_can_be_asked(query: str) -> None:
    status, said = await asked(f"/insights?{query}")
    assert status == 400
    assert said["error"].startswith(query)


async def test_no_totals_are_told_while_the_table_is_read_back() -> None:
    assert await asked("/insights/totals") == (200, {"x": 1})
    late = MadeUp()
    late.ready = False
    assert (await asked("/insights/totals", late))[0] == 503
