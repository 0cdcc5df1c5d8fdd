"""Each failure class, by a file made to have it; read in the sandbox, because some would end the tests."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from services.extract.extraction import MIB, Extraction, Limits, Unreadable
from services.extract.sandbox import Sandbox
from shared.core.failures import Failure
from tests.extract import files

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMITS = Limits(size=20 * MIB, pages=30, characters=200_000, seconds=20, ocr=False)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(LIMITS, workers=1) as running:
        yield running


def entity_bomb() -> bytes:
    entities = '<!ENTITY a "aaaaaaaaaaaaaaaaaaaa">' + "".join(
        f'<!ENTITY {name} "{f"&{inner};" * 20}">' for inner, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    body = f'<!DOCTYPE d [{entities}]><w:document xmlns:w="{files.W}"><w:p><w:r><w:t>&i;</w:t></w:r></w:p></w:document>'
    return files.archive({"word/document.xml": body})


def deep_docx(depth: int) -> bytes:
    return files.docx("<w:p>" * depth + "</w:p>" * depth)


MAKERS: dict[str, tuple[Callable[[], bytes], Failure]] = {
    "no bytes": (lambda: b"", Failure.EMPTY),
    "white space": (lambda: b" \r\n\t" * 50, Failure.EMPTY),
    "blank pdf": (lambda: files.pdf("", ""), Failure.EMPTY),
    "blank docx": (lambda: files.docx("<w:p/>"), Failure.EMPTY),
    "blank html": (lambda: b"<html><body><script>x()</script></body></html>", Failure.EMPTY),
    "blank picture": (lambda: files.encoded(files.picture(), "PNG"), Failure.EMPTY),
    "mail without text": (lambda: b"From: a@b\nMessage-ID: <1@b>\nMIME-Version: 1.0\n\n\n", Failure.EMPTY),
    "elf": (lambda: b"\x7fELF\x02\x01\x01" + bytes(200) + b"text" * 100, Failure.UNSUPPORTED),
    "binary noise": (lambda: bytes(range(256)) * 20, Failure.UNSUPPORTED),
    "rtf": (lambda: b"{\\rtf1 hello}", Failure.UNSUPPORTED),
    "excel": (lambda: files.archive({"xl/workbook.xml": "<x/>"}), Failure.UNSUPPORTED),
    "zip": (lambda: files.archive({"a.txt": "hello"}), Failure.UNSUPPORTED),
    "legacy word": (lambda: files.compound("WordDocument"), Failure.UNSUPPORTED),
    "too many bytes": (lambda: b"text " * (5 * MIB), Failure.TOO_LARGE),
    "too many pages": (lambda: files.pdf(*["page"] * 31), Failure.TOO_LARGE),
    "too many characters": (lambda: b"many words " * 20_000, Failure.TOO_LARGE),
    "too long headers": (
        lambda: b"From: a@b\nMessage-ID: <1@b>\nSubject: " + b"x" * 300_000 + b"\n\nbody",
        Failure.TOO_LARGE,
    ),
    "encrypted pdf": (lambda: files.encrypted_pdf("secret"), Failure.ENCRYPTED),
    "encrypted office file": (lambda: files.compound("EncryptedPackage"), Failure.ENCRYPTED),
    "encrypted zip": (lambda: files.zip_with_flag(files.docx(files.paragraph("x"))), Failure.ENCRYPTED),
    "truncated pdf": (lambda: files.pdf("Hello")[:400], Failure.CORRUPT),
    "pdf header alone": (lambda: b"%PDF-1.7\nnothing follows", Failure.CORRUPT),
    "truncated docx": (lambda: files.docx(files.paragraph("Hello" * 500))[:300], Failure.CORRUPT),
    "broken xml": (lambda: files.docx("<w:p><w:r>"), Failure.CORRUPT),
    "truncated picture": (lambda: files.encoded(files.picture("Hello"), "PNG")[:600], Failure.CORRUPT),
    "picture header alone": (lambda: b"\x89PNG\r\n\x1a\nxxxx", Failure.CORRUPT),
    "broken office file": (lambda: files.compound("WordDocument")[:520], Failure.CORRUPT),
    "mail 3,000 parts deep": (lambda: files.nested_mail(3_000), Failure.CORRUPT),
    "scanned pdf": (lambda: files.pdf(files.picture("a scan", size=(595, 842))), Failure.SCANNED),
    "picture": (lambda: files.encoded(files.picture("Hello"), "JPEG"), Failure.SCANNED),
    "zip bomb": (lambda: files.archive({"word/document.xml": b"<a>" + b" " * (150 * MIB)}), Failure.BOMB),
    "many zip entries": (
        lambda: files.archive({"word/document.xml": "<a/>"} | {f"word/{n}": "" for n in range(2_100)}),
        Failure.BOMB,
    ),
    "entity bomb": (entity_bomb, Failure.BOMB),
    "nested docx": (lambda: deep_docx(5_000), Failure.BOMB),
    "lying picture": (lambda: files.lying_png(60_000, 60_000), Failure.BOMB),
    "200,000 attributes": (
        lambda: b"<html><p " + b" ".join(b"a%d=1" % n for n in range(200_000)) + b">x</p></html>",
        Failure.BOMB,
    ),
    "500,000 nested elements": (
        lambda: b"<html>" + b"<div>" * 500_000 + b"x" + b"</div>" * 500_000,
        Failure.BOMB,
    ),
    "flate bomb": (files.flate_bomb, Failure.BOMB),
    "mail of 2,000 parts": (
        lambda: (
            b"From: a@b\nMessage-ID: <1@b>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n"
            + b"--x\n\npart\n" * 2_000
        ),
        Failure.BOMB,
    ),
}


@pytest.mark.parametrize("name", MAKERS)
async def test_a_bad_file_has_its_class_and_a_sentence_and_the_next_one_is_read(sandbox: Sandbox, name: str) -> None:
    make, expected = MAKERS[name]
    found = await sandbox.read(make(), f"{name}.bin")
    assert isinstance(found, Unreadable), found
    assert found.failure is expected, found
    assert found.message.startswith(f"{name}.bin ")
    assert found.message.endswith(".")
    assert len(found.message) < 400
    following = await sandbox.read(b"the next document")
    assert isinstance(following, Extraction)
    assert following.text == "the next document"


async def test_ten_million_pages_in_one_kilobyte_end_in_time(sandbox: Sandbox) -> None:
    found = await sandbox.read(files.many_pages_pdf(7), "pages.pdf")
    assert isinstance(found, Unreadable)
    assert found.failure in (Failure.TOO_LARGE, Failure.CORRUPT, Failure.BOMB)


async def test_an_external_entity_is_never_read(sandbox: Sandbox) -> None:
    body = (
        '<!DOCTYPE d [<!ENTITY leak SYSTEM "file:///etc/passwd">]>'
        f'<w:document xmlns:w="{files.W}"><w:p><w:r><w:t>before &leak; after</w:t></w:r></w:p></w:document>'
    )
    found = await sandbox.read(files.archive({"word/document.xml": body}), "xxe.docx")
    assert "root:" not in str(found)


async def test_a_text_layer_that_lies_counts_as_a_scan(sandbox: Sandbox) -> None:
    garbled = files.pdf("(cid:12)(cid:7)(cid:99)(cid:3)(cid:41)")
    found = await sandbox.read(garbled, "cid.pdf")
    assert isinstance(found, Unreadable)
    assert found.failure is Failure.SCANNED
