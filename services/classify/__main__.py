"""Run the service: `python -m services.classify`."""

from services.classify.stage import classify
from shared.pipelines.documents import DOCUMENTS
from shared.runtime.stage_service import serve

if __name__ == "__main__":
    serve(DOCUMENTS, classify)
