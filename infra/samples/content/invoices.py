"""Invoices in six layouts, among them a German one, a utility bill's and a freelancer's."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from infra.samples.blocks import Block, Columns, Draft, Heading, Lines, Pairs, Paragraph, Table, glued
from infra.samples.content.people import Company, company

WORK = (
    ("Calibration of flow meters", 18500),
    ("Brochures, 16 pages, 170 g", 240),
    ("Oak boards, planed, 40 mm", 6450),
    ("Site survey and drawings", 42000),
    ("Buffet lunch per guest", 1875),
    ("Hosting, one month", 12900),
    ("Courier service, zone 2", 2390),
    ("Replacement lens assembly", 31400),
    ("Track inspection, night shift", 77500),
)
GERMAN_WORK = (("Lagerung von Paletten je Woche", 14500), ("Zollabfertigung", 8900), ("Transport nach Bremen", 42050))


@dataclass(frozen=True, slots=True)
class Bill:
    """The facts of one invoice, in cents; a layout decides how they are written."""

    number: str
    issued: date
    due: date
    vendor: Company
    customer: Company
    items: tuple[tuple[str, int, int], ...]
    """What, how many, price of one."""
    currency: str
    tax: int
    """Per cent."""

    @property
    def net(self) -> int:
        """Sum of the lines."""
        return sum(count * price for _, count, price in self.items)

    @property
    def total(self) -> int:
        """Sum with tax."""
        return self.net + self.net * self.tax // 100


def bill(seed: int, number: str, currency: str, *, work: tuple[tuple[str, int], ...] = WORK, tax: int = 20) -> Bill:
    """Made-up facts; the same seed gives the same ones."""
    chance = Random(f"invoice {seed}")
    issued = date(2026, 1, 5) + timedelta(days=chance.randrange(90))
    items = tuple((what, 1 + chance.randrange(12), price) for what, price in chance.sample(work, 3))
    return Bill(number, issued, issued + timedelta(days=30), company(seed), company(seed + 5), items, currency, tax)


def money(cents: int) -> str:
    """An amount as the English write it."""
    return f"{cents // 100:,}.{cents % 100:02}"


def long_date(day: date) -> str:
    """A date in words."""
    return f"{day.day} {day:%B} {day.year}"


def table(facts: Bill, *header: str) -> Table:
    """The lines of the invoice."""
    rows = ((what, str(count), money(price), money(count * price)) for what, count, price in facts.items)
    return Table(header, tuple(rows))


def draft(
    facts: Bill, blocks: tuple[Block, ...], issued: str, due: str, total: str = "", language: str = "en"
) -> Draft:
    """The invoice as a document."""
    fields = {
        "invoice_number": facts.number,
        "invoice_date": issued,
        "due_date": due,
        "vendor": facts.vendor.name,
        "customer": facts.customer.name,
        "total": total or money(facts.total),
        "currency": facts.currency,
    }
    return Draft("invoice", blocks, fields, language)


def classic(facts: Bill) -> Draft:
    """Letterhead, details, table, totals."""
    issued, due = long_date(facts.issued), long_date(facts.due)
    blocks: tuple[Block, ...] = (
        Lines((facts.vendor.name, facts.vendor.street, facts.vendor.city)),
        Heading("INVOICE"),
        Pairs((("Invoice No", facts.number), ("Invoice Date", issued), ("Due Date", due))),
        Lines(("Bill To:", facts.customer.name, facts.customer.street, facts.customer.city)),
        table(facts, "Description", "Qty", "Unit price", "Amount"),
        Pairs(
            (
                ("Subtotal", money(facts.net)),
                (f"VAT {facts.tax}%", money(facts.total - facts.net)),
                ("Total", f"{facts.currency} {money(facts.total)}"),
            )
        ),
        Paragraph("Please pay by bank transfer and quote the invoice number. Goods remain our property until paid."),
    )
    return draft(facts, blocks, issued, due)


def two_columns(facts: Bill) -> Draft:
    """Customer on the left, details on the right, a short form of the date."""
    issued, due = facts.issued.isoformat(), facts.due.isoformat()
    blocks: tuple[Block, ...] = (
        Heading(facts.vendor.name),
        Lines((f"{facts.vendor.street}, {facts.vendor.city}",)),
        Columns(
            ("Billed to", facts.customer.name, facts.customer.street, facts.customer.city),
            (f"Invoice #{facts.number}", f"Issued: {issued}", f"Payment due: {due}", f"Currency: {facts.currency}"),
        ),
        table(facts, "Item", "Hours", "Rate", "Total"),
        Pairs((("Net", money(facts.net)), ("Tax", money(facts.total - facts.net)), ("Amount due", money(facts.total)))),
        Paragraph("Late payment is charged at 4 % above base rate. Thank you for working with us."),
    )
    return draft(facts, blocks, issued, due)


def from_to(facts: Bill) -> Draft:
    """A tax invoice as accounting programs print it: labels for everything."""
    issued, due = (
        f"{facts.issued:%b} {facts.issued.day}, {facts.issued.year}",
        f"{facts.due:%b} {facts.due.day}, {facts.due.year}",
    )
    blocks: tuple[Block, ...] = (
        Heading("TAX INVOICE"),
        Pairs((("From", facts.vendor.name), ("Address", f"{facts.vendor.street}, {facts.vendor.city}"))),
        Pairs((("To", facts.customer.name), ("Address", f"{facts.customer.street}, {facts.customer.city}"))),
        Pairs((("Invoice number", facts.number), ("Date of issue", issued), ("Date due", due), ("Terms", "30 days"))),
        table(facts, "Service", "Quantity", "Price", "Line total"),
        Pairs((("Sub-total", money(facts.net)), ("Sales tax", money(facts.total - facts.net)))),
        Pairs((("Total due", f"{facts.currency}{money(facts.total)}"),)),
    )
    return draft(facts, blocks, issued, due)


def statement(facts: Bill) -> Draft:
    """A supplier's bill with an account number beside the invoice number, and a remittance slip below."""
    issued, due = f"{facts.issued:%m/%d/%Y}", f"{facts.due:%m/%d/%Y}"
    blocks: tuple[Block, ...] = (
        Heading(f"{facts.vendor.name}"),
        Heading("Your invoice", 2),
        Pairs((("Customer", facts.customer.name), ("Account", "77-1204-9"), ("Invoice ID", facts.number))),
        Pairs((("Billing date", issued), ("Pay by", due))),
        Paragraph("This invoice covers the services listed below. Amounts are in the currency shown with the total."),
        table(facts, "Charge", "Units", "Each", "Sum"),
        Pairs((("Charges before tax", money(facts.net)), ("Tax", money(facts.total - facts.net)))),
        Pairs((("Grand total", f"{money(facts.total)} {facts.currency}"),)),
        Paragraph(
            "Remittance slip: cut here and return with your cheque. Payments reach us within three working days."
        ),
    )
    return draft(facts, blocks, issued, due)


def freelance(facts: Bill, name: str) -> Draft:
    """One line of details, as people write who have no program for it."""
    issued, due = long_date(facts.issued), long_date(facts.due)
    lines = tuple(f"{what}: {count} x {money(price)}" for what, count, price in facts.items)
    blocks: tuple[Block, ...] = (
        Heading("Invoice"),
        Pairs((("Vendor", name), ("Client", facts.customer.name))),
        Pairs((("Invoice Ref", facts.number), ("Date", issued), ("Due", due))),
        Lines(lines),
        Lines((f"Total payable: {facts.currency} {money(facts.total)}", "No VAT is charged (small business).")),
    )
    found = draft(facts, blocks, issued, due)
    return Draft("invoice", blocks, {**found.fields, "vendor": name})


def german_money(cents: int) -> str:
    """An amount as Germans write it."""
    return money(cents).translate(str.maketrans(",.", ".,"))


def german(facts: Bill) -> Draft:
    """Eine Rechnung: other labels, dates and decimal commas."""
    issued, due = f"{facts.issued:%d.%m.%Y}", f"{facts.due:%d.%m.%Y}"
    rows = ((what, str(count), german_money(price), german_money(count * price)) for what, count, price in facts.items)
    blocks: tuple[Block, ...] = (
        Lines((facts.vendor.name, facts.vendor.street, facts.vendor.city)),
        Lines(("Rechnungsempfänger:", facts.customer.name, facts.customer.street, facts.customer.city)),
        Heading("Rechnung"),
        Pairs((("Rechnungsnummer", facts.number), ("Rechnungsdatum", issued), ("Zahlbar bis", due))),
        Paragraph("Für die erbrachten Leistungen stellen wir Ihnen folgende Beträge in Rechnung:"),
        Table(("Leistung", "Menge", "Einzelpreis", "Betrag"), tuple(rows)),
        Pairs((("Nettobetrag", german_money(facts.net)), ("zzgl. 19 % MwSt.", german_money(facts.total - facts.net)))),
        Pairs((("Gesamtbetrag", f"{german_money(facts.total)} {facts.currency}"),)),
        Paragraph("Bitte überweisen Sie den Betrag ohne Abzug auf unser Konto. USt-IdNr. DE 000 000 000."),
    )
    return draft(facts, blocks, issued, due, german_money(facts.total), "de")


def for_ocr(number: str, vendor: str, customer: str, total: str) -> Draft:
    """Few words in large type: what a scanner's user would call a clean page."""
    blocks: tuple[Block, ...] = (
        Heading(vendor),
        Heading("INVOICE"),
        Pairs((("Invoice No", number), ("Invoice Date", "2026-03-09"), ("Due Date", "2026-04-08"))),
        Pairs((("Customer", customer),)),
        Lines(("Cleaning of storage tanks, two days", "Removal of sediment, one load")),
        Pairs((("Subtotal", "1,050.00"), ("Tax", "210.00"), ("Total", f"EUR {total}"))),
        Paragraph(glued("Please pay within thirty days.")),
    )
    fields = {
        "invoice_number": number,
        "invoice_date": "2026-03-09",
        "due_date": "2026-04-08",
        "vendor": vendor,
        "customer": customer,
        "total": total,
        "currency": "EUR",
    }
    return Draft("invoice", blocks, fields)
