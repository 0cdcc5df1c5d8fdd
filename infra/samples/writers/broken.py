"""Files that are broken on purpose, each for one failure class."""

import struct

from infra.samples.blocks import Paragraph
from infra.samples.writers.docx import docx, members, packed

BOMB_PARAGRAPHS = 40_000
"""Of 1 KiB each: 40 MiB, a thousand times the size on disk. No single node is large, so only a budget notices."""


def elf() -> bytes:
    """The head of a Linux program: right magic, no text, whatever its name says."""
    head = (
        b"\x7fELF\x02\x01\x01"
        + bytes(9)
        + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0x401000, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    )
    return head + bytes((index * 37 + 11) % 256 for index in range(2048))


def truncated(pdf: bytes) -> bytes:
    """A transfer that ended early: no page, no table, no trailer arrived.

    Cut before the first page and not anywhere: readers repair a file that lacks only its end.
    """
    return pdf[: pdf.index(b"/Type /Page")]


def locked_docx() -> bytes:
    """A package whose members have the flag of zip encryption, as archivers with a password write them."""
    package = bytearray(docx((Paragraph("Salary bands for the coming year."),)))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = package.find(signature)
        while at >= 0:
            package[at + offset] |= 1
            at = package.find(signature, at + 4)
    return bytes(package)


def bomb() -> bytes:
    """A package that is small on disk and larger than any limit when unpacked."""
    return packed(members(("<w:p><w:r><w:t>" + "A" * 1024 + "</w:t></w:r></w:p>") * BOMB_PARAGRAPHS))
