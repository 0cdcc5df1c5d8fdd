"""Makes the documents of these tests: good ones, and one for each way to fail."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from pypdf import PdfReader, PdfWriter
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="{}"/>'
    "</Relationships>"
)


def pdf(*pages: str | Image.Image) -> bytes:
    """A PDF; a string is a page of text, a picture is a scanned page."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(595, 842))
    for page in pages:
        if isinstance(page, str):
            for row, line in enumerate(page.splitlines()):
                canvas.drawString(72, 760 - 16 * row, line)
        else:
            canvas.drawImage(ImageReader(page), 0, 0, 595, 842)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def encrypted_pdf(password: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf("secret"))))
    writer.encrypt(password, owner_password="owner")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def form_pdf() -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    canvas.drawString(72, 720, "Application form")
    canvas.acroForm.textfield(name="applicant", value="Ada Lovelace", x=72, y=650, width=200, height=20)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def raw_pdf(stream: bytes) -> bytes:
    """A PDF of one page whose content stream is given in packed form."""
    return pdf_of(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 800 800]/Contents 4 0 R>>",
        b"<</Filter/FlateDecode/Length %d>>stream\n" % len(stream) + stream + b"\nendstream",
    )


def many_pages_pdf(levels: int) -> bytes:
    """A PDF of 10 ** levels pages in a kilobyte: every level of the tree names the next one ten times."""
    nodes = [
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (10 ** (levels - level), b" ".join([b"%d 0 R" % (level + 3)] * 10))
        for level in range(levels)
    ]
    return pdf_of(b"<</Type/Catalog/Pages 2 0 R>>", *nodes, b"<</Type/Page/MediaBox[0 0 200 200]>>")


def pdf_of(*bodies: bytes) -> bytes:
    """A PDF of these objects, the catalog first."""
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    end = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(bodies) + 1, len(out))
    return out + head + table + end


def slow_pdf() -> bytes:
    """4 KB that take minutes to draw."""
    return raw_pdf(zlib.compress(b"60 w 0 0 m 500 900 900 500 0 800 c 800 0 0 0 700 700 c S\n" * 400_000))


def flate_bomb() -> bytes:
    """1 MB that unpacks to 1 GiB: it ends pdfium's process."""
    packer = zlib.compressobj(9)
    stream = b"".join(packer.compress(b" " * 2**20) for _ in range(1024)) + packer.flush()
    return raw_pdf(stream)


def picture(*lines: str, size: tuple[int, int] = (740, 740)) -> Image.Image:
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    for row, line in enumerate(lines):
        pen.text((40, 40 + 60 * row), line, fill="black", font=ImageFont.load_default(34))
    return image


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def lying_png(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims any size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack("!I", len(body)) + kind + body + struct.pack("!I", zlib.crc32(kind + body))

    header = struct.pack("!IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def archive(parts: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in parts.items():
            target.writestr(name, content)
    return buffer.getvalue()


def docx(body: str, main: str = "word/document.xml", **notes: str) -> bytes:
    """A DOCX whose body, and parts such as `footnotes`, are given as inner XML."""
    parts: dict[str, str | bytes] = {"[Content_Types].xml": "<Types/>", "_rels/.rels": RELATIONS.format(main)}
    parts[main] = f'<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>'
    parts |= {f"word/{name}.xml": f'<w:part xmlns:w="{W}">{inner}</w:part>' for name, inner in notes.items()}
    return archive(parts)


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def zip_with_flag(data: bytes) -> bytes:
    """The same archive with every entry marked as encrypted."""
    out = bytearray(data)
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = out.find(magic)
        while start >= 0:
            out[start + offset] |= 1
            start = out.find(magic, start + 4)
    return bytes(out)


def compound(stream: str) -> bytes:
    """The smallest OLE file with one stream of that name."""
    free, end, table = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, end, 0, end, 0) + struct.pack("<I", 0) + b"\xff" * 4 * 108
    fat = struct.pack("<II", table, end) + b"\xff" * (512 - 8)

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        encoded_name = (name + "\0").encode("utf-16-le")
        return (
            encoded_name.ljust(64, b"\0")
            + struct.pack("<HBBIII", len(encoded_name), kind, 1, free, free, child)
            + bytes(36)
            + struct.pack("<IQ", start, size)
        )

    directory = entry("Root Entry", 5, 1, end, 0) + entry(stream, 2, free, end, 0) + bytes(256)
    return header + fat + directory


def mail() -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Ada <ada@example.org>"
    message["To"] = "bob@example.org"
    message["Subject"] = "Rechnung für März"
    message["Date"] = "Mon, 02 Mar 2026 10:00:00 +0000"
    message["Message-ID"] = "<1@example.org>"
    return message


def nested_mail(depth: int) -> bytes:
    head = "From: a@example.org\nMessage-ID: <1@x>\nMIME-Version: 1.0\nSubject: deep\n"
    parts = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(depth))
    return (head + parts + "Content-Type: text/plain\n\nend\n").encode()
