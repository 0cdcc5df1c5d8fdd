"""Pictures of a page: clean large text on paper that is not quite white, as a good scanner sees it."""

import io

from PIL import Image, ImageDraw, ImageFont

from infra.samples.blocks import Block, Heading, lines_of, wrapped

SIZE = (1240, 1754)
"""A4 at 150 dots an inch."""
PAPER, INK = 250, 25
MARGIN = 110


def picture(blocks: tuple[Block, ...], *, tilt: float = 0.0) -> Image.Image:
    """The blocks as one grey page, turned by `tilt` degrees."""
    page = Image.new("L", SIZE, PAPER)
    pen = ImageDraw.Draw(page)
    y = MARGIN
    for block in blocks:
        size = 46 if isinstance(block, Heading) and block.level == 1 else 30
        font = ImageFont.load_default(size)
        for line in lines_of(block):
            for part in wrapped(line, SIZE[0] - 2 * MARGIN, font.getlength):
                pen.text((MARGIN, y), part, fill=INK, font=font)
                y += round(size * 1.55)
        y += 26
    return page.rotate(tilt, resample=Image.Resampling.BICUBIC, fillcolor=PAPER) if tilt else page


def jpeg(page: Image.Image) -> bytes:
    """The picture as JPEG."""
    out = io.BytesIO()
    page.save(out, "JPEG", quality=70, dpi=(150, 150))
    return out.getvalue()


def png(page: Image.Image) -> bytes:
    """The picture as PNG."""
    out = io.BytesIO()
    page.quantize(16).save(out, "PNG", optimize=True, dpi=(150, 150))
    return out.getvalue()
