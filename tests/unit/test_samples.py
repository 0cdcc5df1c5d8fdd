"""The sample documents in the tree are those that the generator makes, and are what they claim to be."""

import io
import json
import re
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pypdf
import pypdfium2 as pdfium
import pytest
from PIL import Image, ImageChops

from infra.samples import generate
from infra.samples.blocks import Sample
from infra.samples.catalog import all_samples
from infra.samples.writers.broken import BOMB_PARAGRAPHS
from shared.core.failures import Failure
from shared.pipelines.document_types import TRACKS, DocumentType

FOLDER = Path(generate.__file__).parent
SAMPLES = {sample.name: sample for sample in all_samples()}
EXPECTED: dict[str, dict[str, Any]] = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
FIELDS = {
    "invoice": {"invoice_number", "invoice_date", "due_date", "vendor", "customer", "total", "currency"},
    "resume": {"name", "email", "phone", "title", "skills"},
    "contract": {"party_a", "party_b", "effective_date", "term", "governing_law"},
    "report": {"title", "author", "date", "summary_line"},
}
LEAST = {"pdf": 36, "docx": 6, "html": 5, "eml": 5, "txt": 6, "csv": 3, "png": 1, "jpg": 1}
GOOD = [sample for sample in SAMPLES.values() if not sample.failure]


def named(sample: Sample) -> str:
    return sample.name


def suffixes() -> Counter[str]:
    return Counter(name.rpartition(".")[2] for name in SAMPLES)


def jpeg_inside(pdf: bytes) -> bytes:
    """The picture of a scanned page, decoded from the text form that PDF streams have."""
    picture = pypdf.PdfReader(io.BytesIO(pdf)).pages[0].images[0].image
    assert picture is not None
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def looks_like(one: bytes, other: bytes) -> bool:
    """Whether two pictures show the same: font rendering may differ by a shade, words may not."""
    small = [Image.open(io.BytesIO(content)).convert("L").resize((155, 219)) for content in (one, other)]
    return max(ImageChops.difference(small[0], small[1]).histogram()[24:]) == 0


def members(package: bytes) -> list[tuple[str, int, bool]]:
    """What a package holds, as its directory says: the checksum stands for the content, even of a locked one."""
    with zipfile.ZipFile(io.BytesIO(package)) as opened:
        return [(info.filename, info.CRC, bool(info.flag_bits & 1)) for info in opened.infolist()]


def same(sample: Sample, kept: bytes) -> bool:
    if sample.name.endswith(".docx"):
        return members(sample.content) == members(kept)
    if sample.ocr and sample.name.endswith(".pdf"):
        return looks_like(jpeg_inside(sample.content), jpeg_inside(kept))
    return looks_like(sample.content, kept) if sample.ocr else sample.content == kept


def test_the_tree_holds_exactly_the_generated_documents() -> None:
    assert {path.name for path in (FOLDER / "documents").iterdir()} == set(SAMPLES)
    assert len(SAMPLES) == len(all_samples()) >= 66


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=named)
def test_a_document_in_the_tree_is_what_the_generator_makes_today(sample: Sample) -> None:
    kept = (FOLDER / "documents" / sample.name).read_bytes()
    assert same(sample, kept), f"{sample.name} differs: run python -m infra.samples.generate infra/samples"


def test_what_is_expected_is_what_the_generator_says() -> None:
    said = json.loads(json.dumps({name: generate.expectation(sample) for name, sample in SAMPLES.items()}))
    assert said == EXPECTED


def test_the_generator_writes_into_the_folder_it_is_given(tmp_path: Path) -> None:
    assert generate.main([str(tmp_path)]) == 0
    assert len(list((tmp_path / "documents").iterdir())) == len(SAMPLES)
    assert json.loads((tmp_path / "expected.json").read_text(encoding="utf-8")) == EXPECTED


def test_the_generator_without_a_folder_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main([]) == 2
    assert "OUT_DIR" in capsys.readouterr().err


def test_all_formats_are_there_and_small() -> None:
    count = suffixes()
    assert {suffix for suffix, least in LEAST.items() if count[suffix] < least} == set()
    assert sum(len(sample.content) for sample in SAMPLES.values()) < 3_000_000


def test_about_eleven_per_cent_of_the_pdfs_are_locked_scanned_or_cut() -> None:
    pdfs = [sample for sample in SAMPLES.values() if sample.content.startswith(b"%PDF")]
    odd = [sample for sample in pdfs if sample.failure or sample.ocr]
    assert 0.10 < len(odd) / len(pdfs) < 0.12


def test_every_failure_named_is_a_failure_class() -> None:
    claimed = {sample.failure for sample in SAMPLES.values() if sample.failure}
    assert claimed == {"empty", "unsupported", "encrypted", "corrupt", "bomb"}
    assert claimed <= set(Failure)


@pytest.mark.parametrize("sample", GOOD, ids=named)
def test_a_good_sample_has_the_fields_of_its_type_each_on_one_line_of_its_text(sample: Sample) -> None:
    assert set(sample.fields) == FIELDS.get(sample.document_type, set())
    lines = sample.text.splitlines()
    assert [value for value in sample.fields.values() if not any(value in line for line in lines)] == []
    assert EXPECTED[sample.name]["track"] == TRACKS[DocumentType(sample.document_type)]


@pytest.mark.parametrize("sample", [s for s in GOOD if s.name.endswith(".pdf") and not s.ocr], ids=named)
def test_a_pdf_says_what_its_author_wrote(sample: Sample) -> None:
    with pdfium.PdfDocument(sample.content) as document:
        text = "\n".join(page.get_textpage().get_text_range() for page in document)
    written, read = words(sample.text), words(text)
    assert written - read == Counter()
    assert all(any(value in line for line in text.splitlines()) for value in sample.fields.values())


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w{2,}", text))


@pytest.mark.parametrize(
    ("name", "code"), [("invoice-locked.pdf", 4), ("agreement-locked.pdf", 4), ("report-cut-off.pdf", 3)]
)
def test_a_broken_pdf_is_refused_for_the_reason_it_was_made_for(name: str, code: int) -> None:
    with pytest.raises(pdfium.PdfiumError) as refused:
        pdfium.PdfDocument(SAMPLES[name].content)
    assert refused.value.err_code == code


def test_one_contract_is_long() -> None:
    with pdfium.PdfDocument(SAMPLES["framework-agreement.pdf"].content) as document:
        assert 7 <= len(document) <= 10


def test_the_bomb_is_small_until_it_is_unpacked() -> None:
    packed = SAMPLES["letterhead.docx"].content
    with zipfile.ZipFile(io.BytesIO(packed)) as package:
        unpacked = package.getinfo("word/document.xml").file_size
    assert unpacked > BOMB_PARAGRAPHS * 1024 > 200 * len(packed)


def test_a_locked_package_cannot_be_read_without_a_password() -> None:
    with (
        zipfile.ZipFile(io.BytesIO(SAMPLES["salaries-locked.docx"].content)) as package,
        pytest.raises(RuntimeError, match="encrypted"),
    ):
        package.read("word/document.xml")
