"""The shipped pipeline under the name that BENCH_PIPELINE says: a scenario's topics and rows are its own."""

import os
from dataclasses import replace

from shared.pipelines.documents import DOCUMENTS

NAME = "BENCH_PIPELINE"
"""Environment variable with the pipeline's name."""
NAMED = replace(DOCUMENTS, name=os.environ.get(NAME, DOCUMENTS.name))
"""What `PENSTOCK_PIPELINE` names."""
