"""Run the service: `python -m services.store`."""

from services.store.stage import store
from shared.pipelines.documents import DOCUMENTS
from shared.runtime.stage_service import serve

if __name__ == "__main__":
    serve(DOCUMENTS, store)
