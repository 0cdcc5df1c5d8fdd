"""What goes straight to store: notices, letters and plain records, some of which talk of other types."""

from datetime import date, timedelta
from random import Random

from infra.samples.blocks import Block, Bullets, Draft, Heading, Lines, Pairs, Paragraph, Table
from infra.samples.content.people import company, person


def notice(title: str, lead: str, points: tuple[str, ...], *, issued: str, by: str) -> Draft:
    """A public notice: title, what, from when, who says so."""
    blocks: tuple[Block, ...] = (
        Heading(title),
        Pairs((("Date of notice", issued),)),
        Paragraph(f"Notice is hereby given that {lead}"),
        Bullets(points),
        Paragraph("For further information please contact the office between nine and five on working days."),
        Lines(("By order of", by)),
    )
    return Draft("notice", blocks)


def attention(title: str, lead: str, points: tuple[str, ...], *, by: str) -> Draft:
    """A notice on a door: who it is for, what happens."""
    blocks: tuple[Block, ...] = (
        Heading(title),
        Paragraph("To all residents and visitors"),
        Paragraph(f"Please note that {lead}"),
        Bullets(points),
        Paragraph("We apologise for any inconvenience."),
        Lines((by,)),
    )
    return Draft("notice", blocks)


def german_notice() -> Draft:
    """A notice in German."""
    blocks: tuple[Block, ...] = (
        Heading("Bekanntmachung"),
        Paragraph("Hiermit wird bekannt gegeben, dass die Hafenstraße vom 4. bis 18. Mai 2026 gesperrt ist."),
        Bullets(("Die Umleitung ist ausgeschildert.", "Anlieger erreichen ihre Grundstücke über die Kaistraße.")),
        Paragraph("Wir bitten um Beachtung."),
        Lines(("Der Hafenmeister",)),
    )
    return Draft("notice", blocks, language="de")


def contract_notice() -> Draft:
    """A notice about contracts: the word is everywhere, and it is none."""
    return notice(
        "PUBLIC NOTICE: Award of Contracts",
        "the council intends to award contracts for the maintenance of parks, and that the draft contracts may be "
        "inspected.",
        (
            "Each contract has a term of three years and may be extended once.",
            "Objections to a contract must reach the clerk by 30 June 2026.",
            "The agreement with the present contractor ends on 31 August 2026.",
        ),
        issued="2 June 2026",
        by="The Clerk of Greenfield Council",
    )


def letter(seed: int, subject: str, body: tuple[str, ...], *, opening: str, closing: str = "Yours sincerely,") -> Draft:
    """A letter on paper: sender, addressee, date, subject, text, signature."""
    home = company(seed + 3)
    sent = date(2026, 3, 2) + timedelta(days=seed * 5)
    sender = (person(seed), home.street, home.city)
    blocks: tuple[Block, ...] = (
        Lines(sender),
        Lines((company(seed).name, company(seed).street, company(seed).city)),
        Lines((f"{sent.day} {sent:%B} {sent.year}",)),
        Lines((opening,)),
        Lines((f"Re: {subject}",)),
        *(Paragraph(text) for text in body),
        Lines((closing, person(seed))),
    )
    return Draft("letter", blocks)


def note(body: tuple[str, ...], *, opening: str, closing: str, name: str) -> Draft:
    """What stands in a mail: no addresses, only greeting, text and name."""
    return Draft("letter", (Lines((opening,)), *(Paragraph(text) for text in body), Lines((closing, name))))


def complaint() -> Draft:
    """A letter about an invoice: number, amount and due date occur, and it is none."""
    return letter(
        1,
        "your invoice BW-20417",
        (
            "Thank you for your invoice BW-20417 of 2 March, which asks us to pay 4,310.00 by the end of the month.",
            "Unfortunately the invoice lists three days of work where two were agreed. Until the amount is "
            "corrected we cannot "
            "pay it. The due date should move accordingly.",
            "Please send us a corrected invoice. I am happy to talk about it on the telephone if that is quicker.",
        ),
        opening="Dear Ms Abelson,",
    )


def german_letter() -> Draft:
    """A letter in German."""
    blocks: tuple[Block, ...] = (
        Lines(("Lena Hoffmann", "Speicherstrasse 12", "20999 Hamburg")),
        Lines(("Hamburg, den 20. April 2026",)),
        Lines(("Betreff: Besichtigung des Lagers",)),
        Lines(("Sehr geehrter Herr Demir,",)),
        Paragraph("vielen Dank für die freundliche Führung durch Ihr Lager. Die neue Rampe hat uns überzeugt."),
        Paragraph("Gerne kommen wir im Mai mit zwei Kollegen wieder. Bitte nennen Sie uns einen Tag, der Ihnen passt."),
        Lines(("Mit freundlichen Grüßen", "Lena Hoffmann")),
    )
    return Draft("letter", blocks, language="de")


def meeting_log() -> Draft:
    """The log of a meeting."""
    rows = (
        ("09:00", "Opened by the chair; eleven present, two excused"),
        ("09:05", "Log of the last meeting accepted without change"),
        ("09:20", "Crane 2: repair ordered, parts expected in week 19"),
        ("09:45", "New gate hours from June; porter to tell the drivers"),
        ("10:10", "Closed; next meeting 12 May"),
    )
    lines = tuple(f"{time}  {what}" for time, what in rows)
    return Draft("record", (Heading("Meeting log"), Pairs((("Place", "Room 2"), ("Present", "11"))), Lines(lines)))


def shift_log() -> Draft:
    """The log of a shift."""
    chance = Random("shift log")
    events = ("pump 1 on", "pump 1 off", "level checked", "filter rinsed", "valve V4 opened", "valve V4 closed")
    lines = tuple(
        f"2026-04-{3 + number // 8:02} {(number * 3) % 24:02}:{chance.randrange(60):02}  {chance.choice(events)}  "
        f"{chance.randrange(180, 240) / 100:.2f} m"
        for number in range(24)
    )
    return Draft("record", (Heading("Shift log, Greenfield pumping station"), Lines(lines)))


def measurements() -> Table:
    """Rows of measurements."""
    chance = Random("measurements")
    rows = tuple(
        (
            f"2026-05-01T{hour:02}:{minute:02}:00Z",
            f"S{1 + hour % 3}",
            f"{chance.randrange(140, 230) / 10:.1f}",
            f"{chance.randrange(35, 80)}",
        )
        for hour in range(24)
        for minute in (0, 30)
    )
    return Table(("timestamp", "sensor", "temperature_c", "humidity_percent"), rows)


def inventory() -> Table:
    """Rows of an inventory."""
    chance = Random("inventory")
    names = (
        "Bolt M8",
        "Nut M8",
        "Washer 8",
        "Bracket L",
        "Bracket R",
        "Seal 40",
        "Seal 60",
        "Bearing 6204",
        "Belt A32",
    )
    rows = tuple(
        (f"{4100 + number}", name, str(chance.randrange(900)), f"{chr(65 + number % 4)}{number}")
        for number, name in enumerate(names)
    )
    return Table(("sku", "name", "quantity", "shelf"), rows)


def readings() -> Table:
    """Rows of meter readings, in German."""
    chance = Random("readings")
    rows = tuple(
        (f"{day:02}.04.2026", f"Zähler {1 + day % 2}", f"{1200 + day * 7 + chance.randrange(5)}")
        for day in range(1, 29)
    )
    return Table(("Datum", "Gerät", "Stand"), rows)


def time_sheet() -> Draft:
    """Hours worked."""
    rows = tuple((f"2026-04-{day:02}", person(day % 3), "08:00", "16:30", "8.0") for day in range(6, 18))
    return Draft("record", (Heading("Time sheet"), Table(("Date", "Name", "From", "To", "Hours"), rows)))
