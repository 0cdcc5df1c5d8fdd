"""Pictures become text; few and small ones, since each costs a second."""

import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.extract.extraction import Extraction, Limits
from services.extract.parsers import ocr
from services.extract.sandbox import Sandbox
from tests.extract import files

LINES = ("Invoice number 4711", "Total amount 1,234.50 EUR", "Payable within thirty days")
HEADER = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(Limits(), workers=1) as running:
        yield running


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("kind", "media_type"), [("PNG", "image/png"), ("WEBP", "image/webp")])
async def test_a_picture_is_recognised(sandbox: Sandbox, kind: str, media_type: str) -> None:
    found = await sandbox.read(files.encoded(files.picture(*LINES), kind), f"scan.{kind}")
    assert found == Extraction("\n".join(LINES), media_type, 1, "ocr")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_tiff_gives_one_page_per_frame(sandbox: Sandbox) -> None:
    frames = [files.picture(line) for line in LINES[:2]]
    found = await sandbox.read(files.encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:]), "scan.tif")
    assert found == Extraction("\f".join(LINES[:2]), "image/tiff", 2, "ocr")


@pytest.mark.asyncio(loop_scope="module")
async def test_only_the_scanned_pages_of_a_mixed_pdf_are_recognised(sandbox: Sandbox) -> None:
    data = files.pdf("A page of text", files.picture(*LINES, size=(892, 1263)), "Another page of text")
    found = await sandbox.read(data, "mixed.pdf")
    text = "A page of text\f" + "\n".join(LINES) + "\fAnother page of text"
    assert found == Extraction(text, "application/pdf", 3, "mixed")


def test_the_models_come_with_the_package_and_no_connection_is_made(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from PIL import Image\n"
        "def audit(event, args):\n"
        "    if event in ('socket.connect', 'socket.getaddrinfo', 'subprocess.Popen'): raise SystemExit(event)\n"
        "sys.addaudithook(audit)\n"
        "from services.extract.parsers import ocr\n"
        "picture = Image.open(sys.argv[1])\n"
        "for turn in (0, 90, 180): print(repr(ocr.rapidocr(picture.rotate(turn, expand=True)).text))\n"
    )
    picture = tmp_path / "scan.png"
    files.picture(*LINES).save(picture)
    run = subprocess.run([sys.executable, "-c", program, str(picture)], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines() == [repr("\n".join(LINES))] * 3


def test_the_models_are_files_of_the_installed_package() -> None:
    assert all("site-packages" in path.parts and path.is_file() for path in ocr.model_paths().values())


def test_words_of_tesseract_are_put_back_into_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [(1, 1, "96.5", "Invoice"), (1, 2, "93.5", '"4711"'), (2, 1, "-1", " "), (3, 1, "80", "Total")]
    rows = "".join(f"5\t1\t1\t1\t{line}\t{word}\t0\t0\t9\t9\t{conf}\t{text}\n" for line, word, conf, text in words)
    (tmp_path / "answer.tsv").write_text(HEADER + rows)
    program = tmp_path / "tesseract"
    program.write_text(f"#!/bin/sh\ncat >/dev/null\ncat '{tmp_path}/answer.tsv'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    seen = ocr.tesseract(files.picture("any"))
    assert seen == ocr.Seen('Invoice "4711"\nTotal', 90.0)
    assert not seen.convincing


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="the program tesseract is not on PATH")
def test_the_systems_tesseract_reads_a_picture() -> None:
    seen = ocr.tesseract(files.picture(*LINES))
    assert seen.text.splitlines() == list(LINES)
    assert seen.convincing
