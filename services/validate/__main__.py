"""Run the service: `python -m services.validate`."""

from services.validate.stage import validate
from shared.pipelines.documents import DOCUMENTS
from shared.runtime.stage_service import serve

if __name__ == "__main__":
    serve(DOCUMENTS, validate)
