"""Recognises text in a picture: system tesseract where there is one, RapidOCR where there is none or it sees little.

tesseract is five times cheaper; RapidOCR reads rotated pages and comes with the package, weights included.
RapidOCR is loaded at first use and kept: it takes 2 s and 0.8 GB, so only processes that need it pay.
"""

import csv
import io
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

LONGEST_SIDE = 2_500
_WORDS = 5
_CONFIDENCE = 60.0
_UPRIGHT = 85.0
_MODELS = {
    "Det.model_path": "PP-OCRv6_det_small.onnx",
    "Rec.model_path": "PP-OCRv6_rec_small.onnx",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What an engine saw in a picture."""

    text: str
    """The words, one printed line per line."""
    confidence: float
    """Mean confidence of the words, 0 to 100."""

    @property
    def convincing(self) -> bool:
        """Whether it is worth no second look."""
        return len(self.text.split()) >= _WORDS and self.confidence >= _CONFIDENCE


class _Line(NamedTuple):
    top: float
    bottom: float
    left: float
    right: float
    text: str


def recognise(picture: Image.Image) -> str:
    """Recognise the text of one page."""
    fitted = fit(picture)
    first = tesseract(fitted) if shutil.which("tesseract") else None
    if first and first.convincing:
        return first.text
    second = rapidocr(fitted)
    if first and first.confidence >= _CONFIDENCE and len(first.text) > len(second.text):
        return first.text
    return second.text


def fit(picture: Image.Image) -> Image.Image:
    """Bring a picture down to a size engines read well."""
    scale = LONGEST_SIDE / max(picture.size)
    if scale >= 1:
        return picture.convert("RGB")
    width, height = (max(1, round(side * scale)) for side in picture.size)
    return picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)


def tesseract(picture: Image.Image) -> Seen:
    """Recognise with the system's tesseract; no words if it refuses the picture.

    It stays in the process group of its caller, so whoever kills the group kills it too.
    """
    stream = io.BytesIO()
    picture.save(stream, "PNG", compress_level=1)
    command = ["tesseract", "stdin", "stdout", "--psm", "3", "tsv"]
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    try:
        run = subprocess.run(command, input=stream.getvalue(), capture_output=True, check=False, env=environment)
    except OSError:
        return Seen("", 0.0)
    lines: dict[tuple[str, ...], list[str]] = {}
    confidences: list[float] = []
    table = csv.DictReader(io.StringIO(run.stdout.decode("utf-8", "replace")), delimiter="\t", quoting=csv.QUOTE_NONE)
    for row in table:
        if (row.get("text") or "").strip() and float(row["conf"]) >= 0:
            lines.setdefault((row["block_num"], row["par_num"], row["line_num"]), []).append(row["text"])
            confidences.append(float(row["conf"]))
    text = "\n".join(" ".join(words) for words in lines.values())
    return Seen(text, sum(confidences) / len(confidences) if confidences else 0.0)


def rapidocr(picture: Image.Image) -> Seen:
    """Recognise with RapidOCR and the weights of its own wheel; a page that lies on its side or head is turned.

    Its classifier of line directions is not used: it turns upright lines too, and the order of lines stays wrong.
    """
    seen, sideways = _look(picture)
    if sideways:
        # The engine reads tall boxes after a quarter turn, so its confidence says whether that was the right one.
        return _look(picture.rotate(90 if seen.confidence >= _UPRIGHT else -90, expand=True))[0]
    if seen.text and seen.confidence < _UPRIGHT:
        return max(seen, _look(picture.rotate(180))[0], key=lambda look: look.confidence)
    return seen


def _look(picture: Image.Image) -> tuple[Seen, bool]:
    """Recognise a picture as it lies; also say whether most of its lines run up or down."""
    result = _engine()(import_module("numpy").asarray(picture)[:, :, ::-1])
    if result.txts is None or result.boxes is None:
        return Seen("", 0.0), False
    boxes = [
        _Line(min(y for _, y in box), max(y for _, y in box), min(x for x, _ in box), max(x for x, _ in box), text)
        for box, text in zip(result.boxes.tolist(), result.txts, strict=True)
    ]
    tall = sum(box.bottom - box.top > 1.5 * (box.right - box.left) for box in boxes)
    return Seen(_lines(boxes), 100.0 * sum(result.scores) / len(result.scores)), tall * 2 > len(boxes)


def model_paths() -> dict[str, Path]:
    """Name the weights inside the installed package.

    Given as paths, because an engine left to find its own weights downloads what it misses.
    """
    spec = find_spec("rapidocr")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package rapidocr is not installed; install the project's requirements")
    paths = {key: Path(spec.origin).parent / "models" / name for key, name in _MODELS.items()}
    if missing := [str(path) for path in paths.values() if not path.is_file()]:
        raise RuntimeError(f"rapidocr lacks its models {missing}; install the version in requirements.lock")
    return paths


@lru_cache(maxsize=1)
def _engine() -> Any:
    settings: dict[str, Any] = {key: str(path) for key, path in model_paths().items()}
    settings |= {
        "Global.log_level": "critical",
        "Global.use_cls": False,
        # One line at a time: in a batch every line is padded to the longest, a quarter more work on real pages.
        "Rec.rec_batch_num": 1,
        # Threads of the engine wait by spinning: a second one saves a third of the time on an idle machine and doubles
        # it on a busy one. More pages at once is what `recognisers` is for.
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
    # Imported here and not above: onnxruntime starts threads, and workers are forked from a process without any.
    return import_module("rapidocr").RapidOCR(params=settings)


def _lines(boxes: list[_Line]) -> str:
    """Join boxes whose middles lie within one another into printed lines."""
    rows: list[list[_Line]] = []
    for box in sorted(boxes, key=lambda box: box.top + box.bottom):
        if rows and rows[-1][0].top <= (box.top + box.bottom) / 2 <= rows[-1][0].bottom:
            rows[-1].append(box)
        else:
            rows.append([box])
    return "\n".join(" ".join(box.text for box in sorted(row, key=lambda box: box.left)) for row in rows)
