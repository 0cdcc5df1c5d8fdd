"""Reads pictures: checks their size by the header, then recognises each frame."""

import io
import warnings
from collections.abc import Iterator

from PIL import Image, ImageOps, UnidentifiedImageError

from services.extract.extraction import MIB, Document, Extraction, Limits, Unreadable
from services.extract.parsers import ocr
from shared.core.failures import Failure

MEDIA_TYPES = ("image/png", "image/jpeg", "image/tiff", "image/gif", "image/bmp", "image/webp")
_FORMATS = ("PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP")
_BREAKS = (OSError, SyntaxError, ValueError, KeyError, IndexError, TypeError, EOFError, OverflowError)
_INK = 1e-5
_CONTRAST = 48

# The limit on pixels is ours and comes first; Pillow's own would be a warning in one case and an error in another.
Image.MAX_IMAGE_PIXELS = None


def parse(document: Document, limits: Limits) -> Extraction | Unreadable:
    """Read a picture, or the pages of a TIFF."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _parse(document, limits)
    except UnidentifiedImageError:
        return _corrupt(document, "its header is broken")
    except _BREAKS as error:
        return _corrupt(document, str(error) or type(error).__name__)


def ink(picture: Image.Image) -> float:
    """Give the share of pixels that stand out from the background, which is the most frequent shade."""
    shades = picture.convert("L").histogram()
    background = max(range(256), key=shades.__getitem__)
    total = max(1, picture.width * picture.height)
    return sum(count for shade, count in enumerate(shades) if abs(shade - background) > _CONTRAST) / total


def is_blank(picture: Image.Image) -> bool:
    """Tell a picture on which nothing is written."""
    return ink(picture) < _INK


def _parse(document: Document, limits: Limits) -> Extraction | Unreadable:
    with Image.open(io.BytesIO(document.data), formats=_FORMATS) as picture:
        media_type = Image.MIME[picture.format or "PNG"]
        frames = getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1
        if frames > (most := min(limits.pages, limits.ocr_pages)):
            return Unreadable(
                Failure.TOO_LARGE,
                f"{document.label} has {frames:,} pages, more than the {most:,} that may be recognised; split it.",
            )
        if refused := _too_many_pixels(document, limits, picture):
            return refused
        pages = []
        for number, frame in enumerate(_frames(picture, frames), start=1):
            if refused := _too_many_pixels(document, limits, picture):
                return refused
            if is_blank(frame):
                pages.append("")
            elif not limits.ocr:
                return Unreadable(
                    Failure.SCANNED, f"{document.label} is a picture (page {number} has ink); switch OCR on to read it."
                )
            else:
                pages.append(ocr.recognise(frame).replace("\f", "\n"))
    return Extraction("\f".join(pages), media_type, method="ocr")


def _frames(picture: Image.Image, count: int) -> Iterator[Image.Image]:
    for index in range(count):
        if count > 1:
            picture.seek(index)
        yield _opaque(ImageOps.exif_transpose(picture))


def _opaque(picture: Image.Image) -> Image.Image:
    """Put a transparent picture on white: black text on nothing would become black on black."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layer = picture.convert("RGBA")
    paper = Image.new("RGB", layer.size, "white")
    paper.paste(layer, mask=layer.getchannel("A"))
    return paper


def _too_many_pixels(document: Document, limits: Limits, picture: Image.Image) -> Unreadable | None:
    pixels = picture.width * picture.height
    if pixels <= limits.pixels:
        return None
    hostile = len(document.data) < MIB
    remedy = "do not trust its sender." if hostile else "scan it at 300 dpi."
    return Unreadable(
        Failure.BOMB if hostile else Failure.TOO_LARGE,
        f"{document.label} has {picture.width:,} x {picture.height:,} pixels in {len(document.data):,} bytes, more "
        f"than the limit of {limits.pixels:,} pixels; {remedy}",
    )


def _corrupt(document: Document, why: str) -> Unreadable:
    return Unreadable(Failure.CORRUPT, f"{document.label} is a damaged picture ({why}); send a complete copy.")
