"""Contracts: services in prose, a key terms sheet, a non-disclosure agreement, a lease, a German one, a long one."""

from dataclasses import dataclass

from infra.samples.blocks import Block, Draft, Heading, Lines, PageBreak, Pairs, Paragraph, glued
from infra.samples.content.people import Company, company, person

CLAUSES = (
    (
        "Services",
        "The Provider shall perform the services described in Schedule 1 with reasonable skill and care, using "
        "people of suitable experience, and shall follow the reasonable instructions of the Client.",
    ),
    (
        "Fees",
        "The Client shall pay the fees set out in Schedule 2 within thirty days of receiving each invoice. Sums "
        "that are late bear interest at four per cent a year above the base rate.",
    ),
    (
        "Confidentiality",
        "Each party shall keep secret what it learns of the other's business, shall use it only to perform this "
        "Agreement, and shall return or destroy it on request. This clause survives the end of this Agreement for "
        "five years.",
    ),
    (
        "Liability",
        "Neither party excludes liability for death or injury caused by negligence. Otherwise the liability of each "
        "party in any year is limited to the fees paid in the twelve months before the claim.",
    ),
    (
        "Intellectual property",
        "What the Provider makes for the Client belongs to the Client once it is paid for. Tools that existed "
        "before remain the Provider's; the Client may use them for as long as it uses the results.",
    ),
    (
        "Termination",
        "Either party may terminate this Agreement by giving ninety days' written notice, or at once where the "
        "other commits a material breach and does not remedy it within thirty days.",
    ),
    (
        "Data protection",
        "Where personal data are processed the parties shall comply with the law in force, keep records of the "
        "processing, and tell each other without delay of any incident.",
    ),
    (
        "Force majeure",
        "No party is liable for delay caused by events beyond its reasonable control, provided that it tells the "
        "other promptly and takes reasonable steps to limit the effect.",
    ),
    (
        "Assignment",
        "Neither party may transfer its rights under this Agreement without the written consent of the other, which "
        "shall not be unreasonably withheld.",
    ),
    (
        "Entire agreement",
        "This Agreement is the whole of what the parties have agreed and replaces what was said before. Changes "
        "must be in writing and signed by both.",
    ),
)


@dataclass(frozen=True, slots=True)
class Deal:
    """The facts of one contract."""

    first: Company
    second: Company
    effective: str
    term: str
    law: str

    @property
    def fields(self) -> dict[str, str]:
        """What extraction should find."""
        return {
            "party_a": self.first.name,
            "party_b": self.second.name,
            "effective_date": self.effective,
            "term": self.term,
            "governing_law": self.law,
        }


def deal(seed: int, effective: str, term: str, law: str) -> Deal:
    """The clauses of the contract."""
    return Deal(company(seed), company(seed + 4), effective, term, law)


def clauses(start: int, count: int) -> tuple[Block, ...]:
    """Numbered clauses, beginning with the given number."""
    chosen = [CLAUSES[(start + index) % len(CLAUSES)] for index in range(count)]
    numbered = enumerate(chosen, start)
    return tuple(
        block for number, (title, text) in numbered for block in (Heading(f"{number}. {title}", 2), Paragraph(text))
    )


def signatures(terms: Deal) -> tuple[Block, ...]:
    """Where both sides sign."""
    return (
        Paragraph("IN WITNESS WHEREOF the parties have executed this Agreement by their authorised representatives."),
        Lines((f"Signed for {glued(terms.first.name)}: ______________ {person(len(terms.first.name))}",)),
        Lines((f"Signed for {glued(terms.second.name)}: ______________ {person(len(terms.second.name) + 3)}",)),
    )


def prose(terms: Deal, *, title: str = "Services Agreement", count: int = 6) -> Draft:
    """Everything in sentences, as lawyers write it."""
    first, second = glued(terms.first.name), glued(terms.second.name)
    blocks: tuple[Block, ...] = (
        Heading(title),
        Paragraph(
            f'This {title} (the "Agreement") is entered into as of {glued(terms.effective)} (the "Effective Date") '
            f"by and "
            f'between {first}, {terms.first.kind} with its office at {terms.first.street} (the "Provider"), and '
            f"{second}, "
            f'{terms.second.kind} with its office at {terms.second.street} (the "Client").'
        ),
        Paragraph("NOW, THEREFORE, in consideration of the mutual promises below, the parties agree as follows."),
        Heading("1. Term", 2),
        Paragraph(
            f"This Agreement begins on the Effective Date and shall remain in force for a period of "
            f"{glued(terms.term)}, "
            "unless it is terminated earlier under its own provisions."
        ),
        *clauses(2, count),
        Heading(f"{count + 2}. Governing law", 2),
        Paragraph(
            f"This Agreement shall be governed by and construed in accordance with the laws of {glued(terms.law)}, "
            f"and its "
            "courts alone decide disputes that arise from it."
        ),
        *signatures(terms),
    )
    return Draft("contract", blocks, terms.fields)


def long(terms: Deal) -> Draft:
    """A framework agreement whose schedules take it to about eight pages."""
    found = prose(terms, title="Framework Agreement", count=10)
    schedules: list[Block] = []
    for number in range(1, 7):
        schedules += [PageBreak(), Heading(f"Schedule {number}", 2), *clauses(number, 8)]
    return Draft("contract", (*found.blocks, *schedules), found.fields)


def key_terms(terms: Deal) -> Draft:
    """A sheet of terms first, clauses after."""
    blocks: tuple[Block, ...] = (
        Heading("Supply Agreement"),
        Heading("Key terms", 2),
        Pairs(
            (
                ("Party A", terms.first.name),
                ("Party B", terms.second.name),
                ("Effective Date", terms.effective),
                ("Term", terms.term),
                ("Governing Law", terms.law),
            )
        ),
        Paragraph("The parties hereby agree to the terms above and to the clauses below, which form one agreement."),
        *clauses(1, 5),
        *signatures(terms),
    )
    return Draft("contract", blocks, terms.fields)


def non_disclosure(terms: Deal) -> Draft:
    """Numbered parties, as English firms list them."""
    blocks: tuple[Block, ...] = (
        Heading("MUTUAL NON-DISCLOSURE AGREEMENT"),
        Pairs((("Effective date", terms.effective),)),
        Lines(
            (
                "BETWEEN:",
                f"(1) {terms.first.name}, {terms.first.kind}; and",
                f"(2) {terms.second.name}, {terms.second.kind}.",
            )
        ),
        Paragraph(
            "The parties wish to explore a joint project and will show each other confidential information for that "
            "purpose. Each party undertakes to protect it as it protects its own."
        ),
        Paragraph(f"Duration: the obligations of this Agreement last for {glued(terms.term)} from the effective date."),
        *clauses(3, 2),
        Paragraph(f"This Agreement is governed by the law of {glued(terms.law)}."),
        *signatures(terms),
    )
    return Draft("contract", blocks, terms.fields)


def lease(terms: Deal) -> Draft:
    """A lease with roles as labels."""
    blocks: tuple[Block, ...] = (
        Heading("COMMERCIAL LEASE AGREEMENT"),
        Pairs((("Landlord", terms.first.name), ("Tenant", terms.second.name))),
        Pairs((("Premises", f"{terms.second.street}, {terms.second.city}"), ("Commencement date", terms.effective))),
        Pairs((("Lease term", terms.term), ("Rent", "2,400.00 per month, payable in advance"))),
        Paragraph(
            "The Landlord hereby lets and the Tenant takes the Premises for the lease term on the conditions below."
        ),
        *clauses(4, 4),
        Pairs((("Governing law", terms.law),)),
        *signatures(terms),
    )
    return Draft("contract", blocks, terms.fields)


def german(terms: Deal) -> Draft:
    """Ein Dienstleistungsvertrag."""
    first, second = glued(terms.first.name), glued(terms.second.name)
    blocks: tuple[Block, ...] = (
        Heading("Dienstleistungsvertrag"),
        Paragraph(
            f"zwischen {first}, {terms.first.street}, nachfolgend Auftragnehmer genannt, und {second}, "
            f"{terms.second.street}, nachfolgend Auftraggeber genannt, wird folgender Vertrag geschlossen:"
        ),
        Heading("§ 1 Gegenstand", 2),
        Paragraph("Der Auftragnehmer übernimmt für den Auftraggeber Lagerung und Transport nach Anlage 1."),
        Heading("§ 2 Laufzeit", 2),
        Pairs((("Vertragsbeginn", terms.effective), ("Laufzeit", terms.term))),
        Paragraph("Die Kündigung bedarf der Schriftform; die Kündigungsfrist beträgt drei Monate zum Quartalsende."),
        Heading("§ 3 Anwendbares Recht", 2),
        Paragraph(f"Es gilt das Recht der {glued(terms.law)}. Gerichtsstand ist Hamburg."),
        Lines(("Unterschrift Auftragnehmer: ______________", "Unterschrift Auftraggeber: ______________")),
    )
    return Draft("contract", blocks, terms.fields, "de")
