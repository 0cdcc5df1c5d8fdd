"""What the door says of documents that were handed in."""

from tests.ingest.world import NOW, World, noted, row


async def test_a_document_on_its_way_is_accepted_since_then(world: World) -> None:
    await world.send(document_id="inbox/7", text="Dear Bob")
    answer = (await world.client.get("/documents/inbox%2F7")).json()
    assert (answer["state"], answer["since"]) == ("accepted", NOW.isoformat())


async def test_a_document_that_ended_is_shown_without_what_is_ours(world: World) -> None:
    world.database.noted["d"], world.database.rows["d"] = noted("d"), row("d")
    answer = (await world.client.get("/documents/d")).json()
    assert (answer["state"], answer["finished_at"]) == ("stored", NOW.isoformat())
    assert not {"stored_by", "pipeline"} & answer.keys()


async def test_a_newer_version_on_its_way_shows_the_one_that_is_stored(world: World) -> None:
    world.database.noted["d"], world.database.rows["d"] = noted("d", version=2), row("d")
    answer = (await world.client.get("/documents/d")).json()
    assert (answer["state"], answer["version"], answer["previous"]["state"]) == ("accepted", 2, "stored")


async def test_a_document_published_to_kafka_directly_is_known_by_its_result(world: World) -> None:
    world.database.rows["d"] = row("d")
    assert (await world.client.get("/documents/d")).json()["state"] == "stored"


async def test_an_unknown_document_is_not_found(world: World) -> None:
    answer = await world.client.get("/documents/nobody")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


async def test_a_batch_counts_its_states(world: World) -> None:
    for number in range(3):
        world.database.noted[f"d{number}"] = noted(f"d{number}", batch_id="march")
    world.database.rows["d0"] = row("d0", batch_id="march")
    world.database.rows["x"] = row("x", batch_id="april")
    answer = (await world.client.get("/documents", params={"batch": "march"})).json()
    assert answer["counts"] == {"stored": 1, "accepted": 2}
    assert (await world.client.get("/documents")).json()["counts"] == {"stored": 2}


async def test_without_the_database_nothing_can_be_said_and_the_answer_says_so(world: World) -> None:
    world.database.away = True
    for path in ("/documents/d", "/documents?batch=march"):
        answer = await world.client.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "store_unavailable")
        assert answer.headers["retry-after"] == "1"
