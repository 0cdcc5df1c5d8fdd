"""Run the service: `python -m services.analyze`."""

from services.analyze.stage import analyze
from shared.pipelines.documents import DOCUMENTS
from shared.runtime.stage_service import serve

if __name__ == "__main__":
    serve(DOCUMENTS, analyze)
