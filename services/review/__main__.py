"""Run the service: `python -m services.review`."""

from services.review.desk import decided, requested
from shared.pipelines.documents import DOCUMENTS
from shared.runtime.desk_service import serve

if __name__ == "__main__":
    serve(DOCUMENTS, requested, decided)
