"""Run the service: `python -m services.extract`."""

from services.extract.stage import extract
from shared.pipelines.documents import DOCUMENTS
from shared.runtime.stage_service import serve

if __name__ == "__main__":
    serve(DOCUMENTS, extract)
