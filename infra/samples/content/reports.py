"""Reports: business, technical with a number, an inspection, and a research abstract."""

from dataclasses import dataclass

from infra.samples.blocks import Block, Bullets, Draft, Heading, Lines, PageBreak, Pairs, Paragraph, Table, glued


@dataclass(frozen=True, slots=True)
class Study:
    """The facts of one report."""

    title: str
    author: str
    date: str
    summary: str
    """One sentence that fits a line."""
    findings: tuple[str, ...]
    figures: tuple[tuple[str, str, str], ...]
    """A line, its value then and its value now."""


STUDIES = (
    Study(
        "Energy Use of the Harwick Depot",
        "Priya Raman",
        "31 March 2026",
        "Energy use fell by 12 % after the compressors were replaced.",
        (
            "Night load is still 40 % of day load.",
            "Two heaters run although the hall is empty.",
            "Solar covers May to August.",
        ),
        (("Electricity, MWh", "412", "363"), ("Gas, MWh", "188", "176"), ("Water, m3", "2,210", "2,190")),
    ),
    Study(
        "Fatigue Cracks in Rail Clips: A Field Study",
        "Owen Pritchard",
        "2026-02-17",
        "Cracks begin at the heel of the clip and grow with axle load.",
        (
            "Of 1,200 clips, 37 showed cracks.",
            "No clip younger than four years was affected.",
            "Ultrasound found what eyes missed.",
        ),
        (("Clips inspected", "800", "1,200"), ("Clips cracked", "21", "37"), ("Mean age, years", "6.1", "7.4")),
    ),
    Study(
        "Annual Review of Customer Support 2025",
        "Clara Benedetti",
        "January 12, 2026",
        "Customers waited less than a day for the first time since 2021.",
        (
            "Half of all questions concern delivery dates.",
            "Chat took over a third of calls.",
            "Satisfaction rose to 4.3 of 5.",
        ),
        (("Tickets", "18,204", "16,950"), ("First answer, hours", "31", "19"), ("Reopened", "6 %", "4 %")),
    ),
    Study(
        "Water Quality in the Greenfield Reservoirs",
        "Ruth Abelson",
        "4 May 2026",
        "All samples met the limits, with nitrate close to them in March.",
        ("Nitrate peaked at 46 mg/l.", "Turbidity followed the rain.", "No coliforms were found."),
        (("Nitrate, mg/l", "38", "46"), ("Turbidity, NTU", "0.4", "0.6"), ("Hardness, dH", "14", "14")),
    ),
    Study(
        "Market Assessment: Optical Sensors in Northern Europe",
        "Yusuf Demir",
        "22 April 2026",
        "Demand grows by nine per cent a year, led by food processing.",
        (
            "Three suppliers hold two thirds of the market.",
            "Service contracts decide most tenders.",
            "Prices fall slowly.",
        ),
        (("Volume, MEUR", "142", "155"), ("Suppliers", "14", "12"), ("Lead time, weeks", "9", "7")),
    ),
    Study(
        "Incident Investigation: Forklift Collision in Hall 3",
        "Ingrid Solberg",
        "9 March 2026",
        "Poor sight at the crossing, not speed, caused the collision.",
        (
            "The mirror had been removed in January.",
            "Both drivers were trained.",
            "A near miss a week before was not reported.",
        ),
        (("Near misses", "4", "7"), ("Injuries", "0", "1"), ("Training, hours", "16", "16")),
    ),
    Study(
        "Migration of the Order Archive",
        "Mei Tanaka",
        "15 June 2026",
        "The archive moved in eleven days and lost no order.",
        ("Checksums matched for all 4.1 million orders.", "Reads are three times as fast.", "Costs fell by a quarter."),
        (("Read time, ms", "310", "96"), ("Storage, TB", "8.2", "5.9"), ("Cost per month", "4,100", "3,050")),
    ),
    Study(
        "Bridge Inspection Report: Mole Street Footbridge",
        "Daniel Osei",
        "28 May 2026",
        "The deck is sound, but both bearings need new seals this year.",
        ("Corrosion is limited to the railing.", "Bearing seals are brittle.", "Drainage is blocked at the east end."),
        (("Deck rating", "4", "4"), ("Bearing rating", "4", "2"), ("Railing rating", "3", "3")),
    ),
    Study(
        "Lagebericht Standort Hamburg",
        "Lena Hoffmann",
        "30.06.2026",
        "Der Umschlag stieg um sieben Prozent, die Kosten blieben gleich.",
        ("Die zweite Rampe ist ausgelastet.", "Der Krankenstand sank.", "Drei Fahrzeuge wurden ersetzt."),
        (("Paletten", "18.400", "19.700"), ("Kosten, TEUR", "912", "914"), ("Fahrzeuge", "11", "11")),
    ),
)


def draft(study: Study, blocks: tuple[Block, ...], language: str = "en") -> Draft:
    """The report as a document."""
    fields = {"title": study.title, "author": study.author, "date": study.date, "summary_line": study.summary}
    return Draft("report", blocks, fields, language)


def business(study: Study) -> Draft:
    """Title page with author and date, then summary, findings and figures."""
    blocks: tuple[Block, ...] = (
        Heading(study.title),
        Pairs((("Prepared by", study.author), ("Date", study.date))),
        Heading("Executive Summary", 2),
        Paragraph(glued(study.summary)),
        Paragraph("The figures come from our own meters and were checked by a second person before printing."),
        Heading("Findings", 2),
        Bullets(study.findings),
        Heading("Figures", 2),
        Table(("Measure", "Last year", "This year"), study.figures),
        Heading("Recommendations", 2),
        Paragraph(
            "We recommend that the measures above are carried out in the order given, and reviewed in twelve months."
        ),
    )
    return draft(study, blocks)


def technical(study: Study, number: str) -> Draft:
    """A numbered report of an institute with an abstract and a second page."""
    blocks: tuple[Block, ...] = (
        Lines((f"Technical Report {number}",)),
        Heading(study.title),
        Pairs((("Author", study.author), ("Date", study.date))),
        Heading("Abstract", 2),
        Paragraph(f"{glued(study.summary)} This report describes how that was found and what follows from it."),
        Heading("1 Introduction", 2),
        Paragraph("Earlier work left open whether the effect depends on load or on age. We measured both for a year."),
        Heading("2 Method", 2),
        Paragraph("Samples were taken every second week by the same two people and examined in our own laboratory."),
        PageBreak(),
        Heading("3 Results", 2),
        Table(("Quantity", "Before", "After"), study.figures),
        Bullets(study.findings),
        Heading("4 Conclusion", 2),
        Paragraph("The result is stable over all sites. What remains is to repeat the work where winters are colder."),
    )
    return draft(study, blocks)


def labelled(study: Study) -> Draft:
    """A form: report title, author, date of report, summary."""
    blocks: tuple[Block, ...] = (
        Heading("REPORT"),
        Pairs((("Report title", study.title), ("Written by", study.author), ("Report date", study.date))),
        Pairs((("Summary", study.summary),)),
        Heading("Background", 2),
        Paragraph("The work was ordered by the management and took three weeks, with access to all files."),
        Heading("Findings", 2),
        Bullets(study.findings),
        Heading("Conclusions", 2),
        Paragraph(
            "The findings leave no doubt about the cause. The costs of the remedy are small beside those of waiting."
        ),
        Heading("Appendix A", 2),
        Table(("Measure", "Then", "Now"), study.figures),
    )
    return draft(study, blocks)


def german(study: Study) -> Draft:
    """Ein Bericht."""
    blocks: tuple[Block, ...] = (
        Heading(study.title),
        Pairs((("Verfasser", study.author), ("Datum", study.date))),
        Heading("Zusammenfassung", 2),
        Paragraph(glued(study.summary)),
        Heading("Ergebnisse", 2),
        Bullets(study.findings),
        Table(("Kennzahl", "Vorjahr", "Berichtsjahr"), study.figures),
        Heading("Empfehlungen", 2),
        Paragraph("Wir empfehlen, die dritte Rampe noch in diesem Jahr zu bauen."),
    )
    return draft(study, blocks, "de")
