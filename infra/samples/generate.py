"""Write the sample documents: `python -m infra.samples.generate OUT_DIR`.

The files go to OUT_DIR/documents, and what the pipeline should find in each to OUT_DIR/expected.json. Both are kept in
the tree beside this file, so that a demo needs no generator; a test makes them again and fails where they differ.

The same code gives the same bytes, except where a library decides them: packed DOCX members (zlib) and pictures
(font rendering, JPEG). What is expected holds for documents that were published without tasks.
"""

import json
import sys
from pathlib import Path
from typing import Any

from infra.samples.blocks import Sample
from infra.samples.catalog import all_samples
from shared.pipelines.document_types import DocumentType, track_of


def expectation(sample: Sample) -> dict[str, Any]:
    """What becomes of the sample, as a line of expected.json."""
    if sample.failure:
        return {"media_type": sample.media_type, "failure": sample.failure}
    return {
        "media_type": sample.media_type,
        "document_type": sample.document_type,
        "track": track_of(DocumentType(sample.document_type)),
        "fields": dict(sample.fields),
        "ocr": sample.ocr,
    }


def write(folder: Path) -> int:
    """Write all samples below the folder; the number of documents."""
    documents = folder / "documents"
    documents.mkdir(parents=True, exist_ok=True)
    samples = all_samples()
    for sample in samples:
        (documents / sample.name).write_bytes(sample.content)
    expected = {sample.name: expectation(sample) for sample in samples}
    (folder / "expected.json").write_text(json.dumps(expected, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return len(samples)


def main(arguments: list[str]) -> int:
    """Write the samples to the folder that was named."""
    if len(arguments) != 1:
        print("usage: python -m infra.samples.generate OUT_DIR", file=sys.stderr)
        return 2
    print(f"{write(Path(arguments[0]))} documents written to {arguments[0]}/documents", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
