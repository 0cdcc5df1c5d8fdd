"""The list of all samples: what is said, in which format, under which name.

Of the 45 PDFs five are no plain text: two need a password, one arrived cut off, and two are scans (11 % of 45, the
share that teams report). The scans are good documents wherever OCR is on, so they are expected to be stored.
"""

from collections.abc import Iterator

from infra.samples.blocks import Draft, Sample, Table, source_text, unglued
from infra.samples.content import contracts, invoices, reports, resumes, standard
from infra.samples.content.invoices import GERMAN_WORK, bill
from infra.samples.content.people import person
from infra.samples.writers import broken
from infra.samples.writers.docx import docx
from infra.samples.writers.image import jpeg, picture, png
from infra.samples.writers.pdf import LOOKS, pdf, scanned_pdf
from infra.samples.writers.text import comma_separated, html, mail, plain

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MAIL = "message/rfc822"
PASSWORD = "not-told-to-the-pipeline"


def good(name: str, media_type: str, content: bytes, draft: Draft, *, ocr: bool = False) -> Sample:
    """A document that is to be stored."""
    fields = {key: unglued(value) for key, value in draft.fields.items()}
    return Sample(name, media_type, content, source_text(draft.blocks), draft.document_type, fields, ocr=ocr)


def as_pdf(name: str, draft: Draft, look: int) -> Sample:
    """The draft as a PDF."""
    return good(f"{name}.pdf", PDF, pdf(draft.blocks, LOOKS[look % len(LOOKS)]), draft)


def as_docx(name: str, draft: Draft) -> Sample:
    """The draft as a DOCX."""
    return good(f"{name}.docx", DOCX, docx(draft.blocks), draft)


def as_html(name: str, draft: Draft) -> Sample:
    """The draft as an HTML page."""
    return good(f"{name}.html", "text/html", html(draft.blocks, draft.language).encode(), draft)


def as_text(name: str, draft: Draft) -> Sample:
    """The draft as plain text."""
    return good(f"{name}.txt", "text/plain", plain(draft.blocks).encode(), draft)


def as_mail(name: str, draft: Draft, subject: str, sender: str, *, with_html: bool = False) -> Sample:
    """The draft as a mail."""
    content = mail(draft.blocks, sender, "Front Office <office@harwick.example>", subject, with_html=with_html)
    return good(f"{name}.eml", MAIL, content, draft)


def as_csv(name: str, table: Table) -> Sample:
    """Rows as a CSV file."""
    return good(f"{name}.csv", "text/csv", comma_separated(table), Draft("record", (table,)))


def invoice_samples() -> Iterator[Sample]:
    """Every invoice."""
    for seed, number in enumerate(("BW-20417", "BW-20455", "BW-20502")):
        yield as_pdf(f"invoice-{number.lower()}", invoices.classic(bill(seed, number, "GBP")), seed)
    for seed, number in enumerate(("2026-0113", "2026-0127", "2026-0140"), 3):
        yield as_pdf(f"invoice-{number}", invoices.two_columns(bill(seed, number, "EUR")), seed)
    for seed, number in enumerate(("INV/26/881", "INV/26/902"), 6):
        yield as_pdf(f"tax-invoice-{number[-3:]}", invoices.from_to(bill(seed, number, "$", tax=8)), seed)
    for seed, number in enumerate(("7700412", "7700431"), 8):
        yield as_pdf(f"your-bill-{number}", invoices.statement(bill(seed, number, "USD")), seed)
    yield as_pdf("freelance-april", invoices.freelance(bill(10, "AK-07", "EUR", tax=0), person(0)), 1)
    yield as_pdf("rechnung-4711", invoices.german(bill(8, "RE-2026-4711", "EUR", work=GERMAN_WORK, tax=19)), 0)
    yield as_html("invoice-web-5521", invoices.classic(bill(11, "WEB-5521", "USD")))
    yield as_html("rechnung-4730", invoices.german(bill(20, "RE-2026-4730", "EUR", work=GERMAN_WORK, tax=19)))
    billing = "Billing <billing@vantage.example>"
    bought = invoices.from_to(bill(4, "VR-3391", "EUR"))
    yield as_mail("mail-invoice-vr-3391", bought, "Your tax invoice", billing, with_html=True)
    yield as_docx("invoice-lt-118", invoices.freelance(bill(14, "LT-118", "GBP", tax=0), person(4)))


def resume_samples() -> Iterator[Sample]:
    """Every resume."""
    people = resumes.CANDIDATES
    layouts = (resumes.classic, resumes.sidebar, resumes.form)
    for index in range(6):
        name = people[index].name.lower().replace(" ", "-")
        yield as_pdf(f"cv-{name}", layouts[index % 3](people[index]), index)
    yield as_pdf("lebenslauf-lena-hoffmann", resumes.german(people[10]), 4)
    yield as_docx("cv-clara-benedetti", resumes.classic(people[6]))
    yield as_docx("application-owen-pritchard", resumes.form(people[7]))
    yield as_html("profile-mei-tanaka", resumes.sidebar(people[8]))
    yield as_text("cv-tomas-lindqvist", resumes.classic(people[9]))


def contract_samples() -> Iterator[Sample]:
    """Every contract."""
    deal = contracts.deal
    yield as_pdf("services-agreement", contracts.prose(deal(0, "1 March 2026", "24 months", "England and Wales")), 1)
    yield as_pdf(
        "consulting-agreement",
        contracts.prose(
            deal(2, "April 15, 2026", "three (3) years", "the State of Delaware"), title="Consulting Agreement", count=4
        ),
        0,
    )
    yield as_pdf("supply-agreement", contracts.key_terms(deal(1, "2026-02-01", "36 months", "Scotland")), 4)
    yield as_pdf("nda-tern-plover", contracts.non_disclosure(deal(5, "10 January 2026", "five years", "Ireland")), 3)
    yield as_pdf("lease-foundry-park", contracts.lease(deal(10, "1 July 2026", "10 years", "England")), 1)
    yield as_pdf(
        "framework-agreement",
        contracts.long(deal(6, "January 1, 2026", "sixty (60) months", "the State of Washington")),
        4,
    )
    yield as_pdf(
        "dienstleistungsvertrag", contracts.german(deal(8, "01.05.2026", "24 Monate", "Bundesrepublik Deutschland")), 0
    )
    yield as_docx("agreement-solway", contracts.prose(deal(14, "3 June 2026", "18 months", "Scotland"), count=3))
    yield as_docx("supply-terms", contracts.key_terms(deal(3, "20 May 2026", "12 months", "England and Wales")))
    yield as_text("nda-lumen", contracts.non_disclosure(deal(11, "5 February 2026", "three years", "Norway")))


def report_samples() -> Iterator[Sample]:
    """Every report."""
    studies = reports.STUDIES
    yield as_pdf("energy-report", reports.business(studies[0]), 2)
    yield as_pdf("tr-114", reports.technical(studies[1], "TR-114"), 1)
    yield as_pdf("support-review", reports.business(studies[2]), 5)
    yield as_pdf("water-quality", reports.labelled(studies[3]), 0)
    yield as_pdf("market-assessment", reports.technical(studies[4], "2026/07"), 4)
    yield as_pdf("incident-hall-3", reports.labelled(studies[5]), 3)
    yield as_pdf("lagebericht-hamburg", reports.german(studies[8]), 1)
    yield as_docx("footbridge", reports.business(studies[7]))
    yield as_html("archive-migration", reports.technical(studies[6], "IT-31"))
    yield as_text("energy-report-short", reports.labelled(studies[0]))


def notice_samples() -> Iterator[Sample]:
    """Every notice."""
    closure = standard.notice(
        "NOTICE OF ROAD CLOSURE",
        "Quay Street will be closed to all traffic from 4 May to 18 May 2026 for the renewal of water mains.",
        ("Pedestrians may pass at all times.", "A diversion by Dock Road will be signposted."),
        issued="20 April 2026",
        by="The Highways Department",
    )
    meeting = standard.notice(
        "Notice of Annual General Meeting",
        "the annual general meeting of members will be held on 12 June 2026 at 18:00 in the Old Hall.",
        ("Election of two trustees", "Approval of the accounts", "Any other business"),
        issued="11 May 2026",
        by="The Board of Trustees",
    )
    lift = standard.attention(
        "IMPORTANT NOTICE",
        "the lift in Platform House will be out of service from 6 to 9 April 2026.",
        ("Use the lift in the north wing.", "Ring the porter if you need help on the stairs."),
        by="Building services",
    )
    water = standard.attention(
        "Notice to customers: interruption of supply",
        "the water supply will be interrupted on 22 March 2026 between 09:00 and 15:00.",
        ("Fill a kettle beforehand.", "Run the tap until the water is clear."),
        by="Greenfield Municipal Water",
    )
    yield as_pdf("road-closure", closure, 2)
    yield as_pdf("annual-meeting", meeting, 1)
    yield as_pdf("award-of-contracts", standard.contract_notice(), 4)
    yield as_pdf("bekanntmachung-hafen", standard.german_notice(), 0)
    yield as_docx("lift-out-of-service", lift)
    yield as_html("water-interruption", water)
    yield as_text("road-closure-text", closure)
    yield as_mail(
        "mail-water-interruption", water, "Interruption of supply", "Greenfield Water <news@greenfield.example>"
    )


VISIT = (
    "Thank you for showing us your workshop last week. We were impressed by how quietly the new saw runs.",
    "We should like to come again in May with two colleagues from planning. Would the 12th suit you?",
    "With it we could also look at the drying hall, which was closed on the day of our visit.",
)


def letter_samples() -> Iterator[Sample]:
    """Every letter."""
    dear = "Dear Mr Lindqvist,"
    yield as_pdf("letter-visit", standard.letter(2, "our visit", VISIT, opening=dear), 1)
    yield as_pdf("letter-about-your-invoice", standard.complaint(), 0)
    yield as_pdf("brief-besichtigung", standard.german_letter(), 4)
    thanks = standard.letter(7, "the summer fair", VISIT[1:], opening="Dear Sir or Madam,", closing="Yours faithfully,")
    yield as_docx("letter-summer-fair", thanks)
    yield as_text("letter-visit-text", standard.letter(9, "our visit", VISIT[:2], opening="Dear Ms Benedetti,"))
    note = standard.note(VISIT, opening="Dear all,", closing="Kind regards,", name=person(9))
    yield as_mail("mail-visit", note, "Your workshop", f"{person(9)} <clara@post.example>", with_html=True)
    short = standard.note(VISIT[:1], opening="Hello Owen,", closing="Best wishes,", name=person(11))
    yield as_mail("mail-thanks", short, "Thank you", f"{person(11)} <mei@post.example>")


def record_samples() -> Iterator[Sample]:
    """Every plain record."""
    yield as_csv("measurements", standard.measurements())
    yield as_csv("inventory", standard.inventory())
    yield as_csv("zaehlerstaende", standard.readings())
    yield as_text("meeting-log", standard.meeting_log())
    yield as_text("shift-log", standard.shift_log())
    yield as_html("time-sheet", standard.time_sheet())
    yield as_mail("mail-shift-log", standard.shift_log(), "Shift log", "Pumps <pumps@greenfield.example>")


def pictured_samples() -> Iterator[Sample]:
    """Text that exists only as pixels."""
    invoice = invoices.for_ocr("BX20931", "Brightwater", "Stonebridge", "1,260.00")
    photo = invoices.for_ocr("KT40077", "Copperleaf", "Greenfield", "1,260.00")
    letter = standard.note(VISIT, opening="Dear Mr Osei,", closing="Yours sincerely,", name=person(1))
    yield good("scan-invoice.pdf", PDF, scanned_pdf((jpeg(picture(invoice.blocks, tilt=0.4)),)), invoice, ocr=True)
    yield good("scan-letter.pdf", PDF, scanned_pdf((jpeg(picture(letter.blocks)),)), letter, ocr=True)
    yield good("photo-invoice.png", "image/png", png(picture(photo.blocks)), photo, ocr=True)
    yield good("photo-letter.jpg", "image/jpeg", jpeg(picture(letter.blocks, tilt=-0.3)), letter, ocr=True)


def broken_samples() -> Iterator[Sample]:
    """Files that must end as dead letters."""
    secret = invoices.classic(bill(2, "BW-20588", "GBP")).blocks
    terms = contracts.key_terms(contracts.deal(4, "1 May 2026", "6 months", "England")).blocks
    cut = reports.business(reports.STUDIES[2]).blocks
    yield Sample("invoice-locked.pdf", PDF, pdf(secret, LOOKS[0], PASSWORD), failure="encrypted")
    yield Sample("agreement-locked.pdf", PDF, pdf(terms, LOOKS[1], PASSWORD), failure="encrypted")
    yield Sample("report-cut-off.pdf", PDF, broken.truncated(pdf(cut, LOOKS[2])), failure="corrupt")
    yield Sample("salaries-locked.docx", DOCX, broken.locked_docx(), failure="encrypted")
    yield Sample("letterhead.docx", DOCX, broken.bomb(), failure="bomb")
    yield Sample("nothing.txt", "text/plain", b"", failure="empty")
    yield Sample("update.pdf", PDF, broken.elf(), failure="unsupported")


def all_samples() -> tuple[Sample, ...]:
    """Every sample, in a fixed order."""
    return (
        *invoice_samples(),
        *resume_samples(),
        *contract_samples(),
        *report_samples(),
        *notice_samples(),
        *letter_samples(),
        *record_samples(),
        *pictured_samples(),
        *broken_samples(),
    )
