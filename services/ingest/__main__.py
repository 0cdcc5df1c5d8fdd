"""Run the service: `python -m services.ingest`."""

from services.ingest.app import app
from services.ingest.door import Door
from services.ingest.settings import IngestSettings
from shared.pipelines.documents import DOCUMENTS
from shared.runtime.door_service import OpenDoor, serve


def door(opened: OpenDoor) -> Door:
    """The ports that the door needs."""
    return Door(
        publisher=opened.publisher,
        submissions=opened.submissions,
        results=opened.results,
        blobs=opened.blobs,
        topic=opened.topic,
        clock=opened.clock,
        limits=opened.settings.limits(),
    )


if __name__ == "__main__":
    serve(DOCUMENTS, "ingest", IngestSettings, lambda opened: app(door(opened)))
