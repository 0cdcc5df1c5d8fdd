"""Where the fields of each document type are found: by their labels and by where they stand, in English and German.

The text may come from any format or from a scanner: a value stands behind its label or on the next line, and spaces may
be lost. Every value is given as it occurs in the text, so that it can be found there again.
"""

import re
from collections.abc import Callable, Mapping

from infra.modelsim.sentences import readable, sentences

START = r"^[ \t*#|-]{0,8}"
GAP = r"[ \t]{0,4}[:#.]{0,2}\s{0,4}"
"""What stands between a label and its value."""
LINE = r"(\S[^\n\t|]{0,119}?)(?= {2}|\t| ?\||[ \t]{0,4}$)"
"""The rest of the line as a value, up to a wide gap."""
MONTH = r"[^\W\d]{3,9}\.?"
DATE = (
    rf"(\d{{4}}-\d\d-\d\d|\d{{1,2}}[./]\d{{1,2}}[./]\d{{2,4}}|"
    rf"\d{{1,2}}\.? ?{MONTH},? ?\d{{4}}|{MONTH} ?\d{{1,2}},? ?\d{{4}})"
)
SIGN = r"[$€£¥]|(?-i:[A-Z]{3})(?![^\W\d])"
ANY_AMOUNT = r"(?:\d{1,3}(?:[.,']\d{3})+[.,]\d\d|\d{1,9}[.,]\d\d)(?!\d)"
AMOUNT = rf"({ANY_AMOUNT})"
NUMBER = r"([A-Z0-9][A-Z0-9/_.-]{0,30}\d[A-Z0-9/_-]{0,10})"
SPAN = (
    r"(\b(?:[a-z]{1,20}(?:-[a-z]{1,20})? ?\(\d{1,4}\) ?|\d{1,4} ?|[a-z]{1,20}(?:-[a-z]{1,20})? )"
    r"(?:days|weeks|months|years?|[Tt]agen?|[Ww]ochen|[Mm]onaten?|[Jj]ahren?))\b"
)
PARTY = r"([A-Z][^,;()\n]{1,80}?)(?=,| ?\()"
LAW = r"((?:the )?[A-Z][\w ]{2,60}?)(?=[,.;]| and its| without)"

HEADER = re.compile(r"(?:(?:subject|from|to|cc|date|sent|reply-to): [^\n]*\n)+", re.IGNORECASE)
TITLES = re.compile(
    r"\W*(?:(?:tax|your|pro ?forma) ?)?(?:invoice|rechnung)\b.*|\W*(?:curriculum ?vitae|cv|r[eé]sum[eé]|lebenslauf)\W*"
    r"|\W*(?:(?:technical|annual|final) )?(?:report|bericht)(?: (?:no\.? ?)?[\w/-]*\d[\w/-]*)?\W*|[-=_* ]*",
    re.IGNORECASE,
)
"""First lines that say what a document is, not what it is about."""

Finder = Callable[[str], str]


def first(text: str, *patterns: str, last: bool = False) -> str:
    """The group of the first pattern that matches; of its last match where asked for."""
    for pattern in patterns:
        matches = [
            match for match in re.finditer(pattern, text, re.IGNORECASE | re.MULTILINE) if match.group(1).strip()
        ]
        if matches:
            return str(matches[-1 if last else 0].group(1)).strip()
    return ""


def label(names: str, value: str, gap: str = GAP) -> str:
    """A pattern for a value behind one of the labels, which starts a line or stands behind a wide gap."""
    return rf"(?:{START}|\t|[ ]{{2}})(?:{names}){gap}{value}"


COLON = r"[ \t]{0,4}(?::\s{0,4}|\n\s{0,3}|\t|[ ]{2})"
"""A gap that nobody takes for the middle of a sentence."""


def labelled(*patterns: str) -> Finder:
    """The value behind one of the labels, on its line or on the next."""
    return lambda text: first(text, *patterns)


def flat(text: str) -> str:
    """The text as one line, in which a sentence stays whole."""
    return " ".join(text.split())


def phrase(pattern: str) -> Finder:
    """A value inside a sentence, wherever its lines break; upper and lower case count."""

    def find(text: str) -> str:
        match = re.search(pattern, flat(text))
        return match.group(1) if match else ""

    return find


def either(*finders: Finder) -> Finder:
    """What the first finder that finds anything finds."""
    return lambda text: next((found for finder in finders if (found := finder(text))), "")


def opening(number: int, *, colon: bool = True) -> Finder:
    """A line of the opening, counted from 0; titles, repetitions and, where asked for, lines with a colon are skipped.

    Repetitions, because a page of the web begins with its own name twice.
    """

    def find(text: str) -> str:
        lines = dict.fromkeys(line.strip() for line in text.split("\n")[:15])
        telling = [line for line in lines if line and not TITLES.fullmatch(line) and (colon or ":" not in line)]
        return telling[number] if len(telling) > number else ""

    return find


TOTALS = (
    r"grand ?total|total ?due|total ?payable|total ?amount|amount ?due|balance ?due"
    r"|gesamtbetrag|rechnungsbetrag|endbetrag"
)
PAID = rf"(?:{SIGN})?[ \t]{{0,4}}"


def total(text: str) -> str:
    """The amount to be paid: behind a label that says so, else the last one called total."""
    return first(text, label(TOTALS, PAID + AMOUNT)) or first(text, label("total|summe", PAID + AMOUNT), last=True)


def currency(text: str) -> str:
    """The sign beside the total, else one with a label, else the first sign of money in the text."""
    beside = (rf"({SIGN})[ \t]{{0,4}}{ANY_AMOUNT}", rf"{ANY_AMOUNT}[ \t]{{0,4}}({SIGN})")
    near = (label(names, pattern) for names in (TOTALS, "total|summe") for pattern in beside)
    return first(text, *near, label("currency|währung", rf"({SIGN})"), rf"({SIGN})[ \t]{{0,4}}{ANY_AMOUNT}")


def first_sentence(finder: Finder) -> Finder:
    """The first sentence of the running text."""

    def find(text: str) -> str:
        return next(sentences(finder(text)), "")

    return find


def headed(names: str) -> Finder:
    """The text below a heading, or behind a label."""

    def find(text: str) -> str:
        match = re.search(rf"{START}(?:{names})[ \t]{{0,4}}(?::|$)[\s=-]*(.{{1,600}})", text, re.I | re.M | re.S)
        return match.group(1) if match else ""

    return find


BETWEEN = r"(?:[Bb]etween|BETWEEN|zwischen):? (?:\(1\) |der |dem )?"
SECOND = r".{0,300}?[,;)] (?:and|und),? (?:\(2\) |der |dem )?"

FIELDS: Mapping[str, Mapping[str, Finder]] = {
    "invoice": {
        "invoice_number": labelled(
            label(
                r"(?:tax |your )?invoice ?(?:number|no\b|nr\b|id\b|ref(?:erence)?\b|#)|rechnungs?-? ?(?:nummer|nr)",
                NUMBER,
            ),
        ),
        "invoice_date": labelled(
            label(r"invoice ?date|date ?of ?issue|issue ?date|issued(?: ?on)?|billing ?date|rechnungsdatum", DATE),
            label("date|datum", DATE),
        ),
        "due_date": labelled(
            label(r"payment ?due|due ?date|date ?due|due(?: ?on| ?by)?|pay ?by|zahlbar ?bis|fällig(?: ?am)?", DATE)
        ),
        "vendor": either(
            labelled(label("from|vendor|seller|supplier|lieferant", LINE, COLON)), opening(0, colon=False)
        ),
        "customer": labelled(
            label("bill(?:ed)? ?to|customer|client|invoice ?to|rechnungsempfänger|kunde", LINE, COLON),
            label("to", LINE, COLON),
        ),
        "total": total,
        "currency": currency,
    },
    "resume": {
        "name": either(labelled(label("(?:full )?name", LINE, COLON)), opening(0)),
        "email": labelled(r"([\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4})"),
        "phone": labelled(
            label(r"phone|tel(?:ephone|efon)?|mobile|mobil", r"(\+?\(?\d[\d ()/.-]{6,20}\d)"),
            r"(\+\d[\d ()/.-]{6,20}\d)",
            r"(\(\d{2,5}\) ?\d[\d -]{4,14}\d)",
        ),
        "title": either(labelled(label("(?:current )?(?:position|title|role)|beruf", LINE, COLON)), opening(1)),
        "skills": labelled(
            label(r"(?:(?:key|technical|core) )?skills|kenntnisse|fähigkeiten", rf"[\s=-]{{0,80}}{LINE}", COLON)
        ),
    },
    "contract": {
        "party_a": either(
            labelled(label("party ?a|landlord|licensor|lessor|provider|seller|auftragnehmer", LINE, COLON)),
            phrase(rf"{BETWEEN}{PARTY}"),
        ),
        "party_b": either(
            labelled(label("party ?b|tenant|licensee|lessee|client|buyer|auftraggeber", LINE, COLON)),
            phrase(rf"{BETWEEN}{PARTY.replace('(', '(?:', 1)}{SECOND}{PARTY}"),
        ),
        "effective_date": either(
            labelled(label("effective ?(?:date|from)|commencement ?date|start ?date|vertragsbeginn", DATE)),
            phrase(rf"\b(?:as of|dated|with effect from|effective|made on) {DATE}"),
            labelled(DATE),
        ),
        "term": either(
            labelled(label(r"(?:\w+ )?term|laufzeit|duration", SPAN, r"[ \t]{0,4}(?::|\t)\s{0,4}")),
            phrase(rf"\b(?:period|term) of {SPAN}"),
            phrase(rf"\bLaufzeit von {SPAN}"),
            phrase(rf"\b(?:lasts?|continues?|in force|remain) for {SPAN}"),
        ),
        "governing_law": either(
            labelled(label("governing ?law|anwendbares ?recht", LINE, r"[ \t]{0,4}(?::|\t)\s{0,4}")),
            phrase(rf"\b[Ll]aws? of {LAW}"),
            phrase(rf"\b[Rr]echt (?:der|des|von) {LAW}"),
        ),
    },
    "report": {
        "title": either(labelled(label("(?:report )?title|titel", LINE, COLON)), opening(0)),
        "author": labelled(
            label(r"prepared ?by|written ?by|authors?|verfasser(?:in)?|autor(?:in)?", LINE, COLON),
            r"^by ((?-i:[A-Z]).{1,80})$",
        ),
        "date": either(labelled(label("report ?date|date ?of ?report|date|datum", DATE)), labelled(DATE)),
        "summary_line": first_sentence(headed("executive ?summary|abstract|summary|zusammenfassung|kurzfassung")),
    },
}
"""Document type to its fields, each with the way it is found."""


def extract_fields(document_type: str, text: str) -> dict[str, str]:
    """The fields of the type as they occur in the text; a field that was not found is empty."""
    body = readable(text)
    header = HEADER.match(body)
    body = body[header.end() :] if header else body
    return {name: finder(body) for name, finder in FIELDS.get(document_type, {}).items()}
