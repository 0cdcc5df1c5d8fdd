"""The clues: what documents of each type show and others rarely do, in English and German.

Where a clue stands matters more than the word itself: "Invoice No" at the start of a line is an invoice's, "your
invoice number" in a sentence anybody's. The text comes from strangers, so every repetition in a pattern is bounded.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from shared.pipelines.document_types import DocumentType


@dataclass(frozen=True, slots=True)
class Clue:
    """Something that documents of one type show."""

    name: str
    weight: float
    pattern: re.Pattern[str]
    within: int = 0
    """Counts only in that many first lines; 0 is anywhere."""
    least: int = 1
    """How many different matches make it a clue."""
    most: int = 1
    """How many different matches add to the sum."""


def clue(name: str, weight: float, pattern: str, *, within: int = 0, least: int = 1, most: int = 1) -> Clue:
    """A clue whose pattern ignores case, and in which ^ and $ mean a line's begin and end."""
    return Clue(name, weight, re.compile(pattern, re.IGNORECASE | re.MULTILINE), within, least, most)


LABEL = r"^[ \t*#|-]{0,8}"
"""The start of a line, whatever bullet or rule stands before the words."""
STOP = r"[ \t]{0,8}(?::|$)"
"""The end of a label or of a heading."""

CLUES: Mapping[DocumentType, tuple[Clue, ...]] = {
    DocumentType.INVOICE: (
        clue(
            "the title",
            2,
            LABEL + r"(?:(?:tax|your|pro[ -]?forma|commercial) ?)?(?:invoice|rechnung)[ \t]{0,8}$",
            within=25,
        ),
        clue(
            "an invoice number",
            2,
            r"(?:^|[|·\t]|[ ]{2})[ \t*#|-]{0,8}(?:(?:tax|your) )?"
            r"(?:invoice ?(?:no\b|nr\b|number|id\b|ref|#)|rechnungs?-? ?(?:nr|nummer))",
        ),
        clue(
            "a due date",
            1.2,
            LABEL + r"(?:payment ?due|due ?date|date ?due|due|pay ?by|zahlbar ?bis|fällig(?: ?am)?)\b.{0,3}"
            r"\s{0,4}\w{0,9}[ ,]{0,2}\d",
        ),
        clue(
            "a total",
            1.2,
            LABEL + r"(?:grand ?total|total ?(?:due|payable|amount)|amount ?due|balance ?due|total|gesamtbetrag"
            r"|rechnungsbetrag|endbetrag)\b\s{0,4}:?[^\w\n]{0,5}\s{0,4}(?:[A-Z]{3})?[^\w\n]{0,4}"
            r"\d[\d.,' ]{0,15}[.,]\d\d\b",
        ),
        clue("somebody to bill", 1, LABEL + r"(?:billed ?to|bill ?to|invoice ?to|rechnungsempfänger)\b"),
        clue("tax or a subtotal", 0.8, LABEL + r"(?:vat|sales ?tax|tax|sub-? ?total|nettobetrag|zzgl\.?.{0,8}mwst)\b"),
    ),
    DocumentType.RESUME: (
        clue("the title", 2.5, LABEL + r"(?:curriculum ?vitae|résumé|resume|lebenslauf|cv)[ \t]{0,8}$", within=12),
        clue(
            "a section on work",
            1.8,
            LABEL + r"(?:(?:work|professional|employment|career) ?(?:experience|history)|experience"
            r"|berufserfahrung|beruflicher werdegang)" + STOP,
        ),
        clue(
            "a section on education",
            1.4,
            LABEL + r"(?:education(?: (?:and|&) training)?|qualifications|ausbildung|studium"
            r"|schulbildung)" + STOP,
        ),
        clue("skills", 1.4, LABEL + r"(?:(?:key|technical|core) ?)?(?:skills|kenntnisse|fähigkeiten)" + STOP),
        clue("a profile", 0.6, LABEL + r"(?:profile|about ?me|personal ?statement|objective)" + STOP),
        clue("years of work", 0.8, r"\b(?:19|20)\d\d ?[-–] ?(?:(?:19|20)\d\d|present|today|heute)\b", least=2),
        clue("an address to answer to", 0.6, r"^(?!from:|to:|cc:).{0,60}@[\w-]{1,64}\.\w", within=12),
    ),
    DocumentType.CONTRACT: (
        clue(
            "the title",
            2,
            LABEL + r"(?:[\w,&-]{1,30} ){0,5}(?:[\w-]{0,30}(?:agreement|contract|vertrag)|lease)[ \t]{0,8}$",
            within=10,
        ),
        clue(
            "the parties",
            1.6,
            r"\bby\s{1,4}and\s{1,4}between\b|^between:?$|^(?:party ?a|landlord|licensor)\b.{0,3}\s|"
            r"\bnachfolgend\s.{1,40}\sgenannt\b",
        ),
        clue(
            "words of agreement",
            1.2,
            r"\bparties\s(?:hereby\s)?agree\b|\bnow,? ?therefore\b|\bin\sconsideration\sof\b|"
            r"\bvertrag\sgeschlossen\b|\bthe\sparties\swish\b|\bhereby\s(?:lets|grants|agrees?)\b",
        ),
        clue(
            "a governing law",
            1.6,
            r"\bgoverned\s{1,4}by\s{1,4}(?:and\sconstrued.{1,40}\s)?the\s{1,4}laws?\b|"
            + LABEL
            + r"(?:\d{1,2}\.? ?)?governing ?law\b|\bes\sgilt\sdas\srecht\b|\bgerichtsstand\b",
        ),
        clue(
            "numbered clauses",
            0.8,
            LABEL + r"(?:\d{1,2}\.? |§ ?\d{1,2} )(?:term|termination|confidentiality|liability|fees|"
            r"services|laufzeit|gegenstand|kündigung)",
            most=2,
        ),
        clue("signatures", 0.8, r"\bin\switness\swhereof\b|" + LABEL + r"(?:signed ?for|unterschrift)\b"),
    ),
    DocumentType.REPORT: (
        clue(
            "the title",
            1.5,
            r"^.{0,80}\b(?:report|review|assessment|investigation|(?:field|case) ?study|analysis|\w{0,20}bericht)\b",
            within=6,
        ),
        clue("a summary", 1.8, LABEL + r"(?:executive ?summary|abstract|summary|zusammenfassung|kurzfassung)" + STOP),
        clue("an author", 1, LABEL + r"(?:prepared ?by|written ?by|authors?|verfasser(?:in)?|autor(?:in)?)\b"),
        clue(
            "sections of a report",
            0.9,
            LABEL + r"(?:\d{1,2}\.? ?)?(?:introduction|background|methods?|methodology|results|findings|"
            r"conclusions?|recommendations|appendix(?: \w)?|ergebnisse|empfehlungen|fazit|einleitung)" + STOP,
            most=3,
        ),
    ),
    DocumentType.NOTICE: (
        clue(
            "the title",
            2.2,
            LABEL + r"(?:(?:public|important|legal|final) ?)?(?:notice|bekanntmachung|announcement|aushang)\b",
            within=12,
        ),
        clue(
            "words of notice",
            2,
            r"\bnotice\sis\shereby\sgiven\b|\bplease\s(?:note|be\sadvised)\sthat\b|\bwird\sbekannt\s?gegeben\b",
        ),
        clue("an audience", 0.8, LABEL + r"(?:to ?all\b|to ?whom\b|attention\b|an ?alle\b)"),
        clue(
            "what notices close with",
            0.9,
            r"\bapologi[sz]e\sfor\sany\sinconvenience\b|\bfor\sfurther\sinformation\b|"
            r"\bby\sorder\sof\b|\bbitten\sum\sbeachtung\b",
            most=2,
        ),
    ),
    DocumentType.LETTER: (
        clue(
            "a salutation",
            2,
            LABEL + r"(?:(?:dear|hello|hi)\b ?[^\n]{1,50}|sehr ?geehrte[^\n]{0,60}|liebe[rs]? [^\n]{1,40})[,!:]?$",
        ),
        clue(
            "a closing",
            2,
            LABEL + r"(?:yours ?(?:sincerely|faithfully|truly)|(?:kind|best|warm) ?(?:regards|wishes)|sincerely"
            r"|regards|mit ?freundlichen ?grüßen|hochachtungsvoll)\b",
        ),
        clue("a subject", 0.5, LABEL + r"(?:re|betreff|regarding): ?\S", within=20),
        clue(
            "words to a person", 0.6, r"\bthank\s?you\sfor\b|\bi\sam\swriting\b|\bwe\sshould\slike\b|\bvielen\sdank\b"
        ),
    ),
    DocumentType.RECORD: (
        clue(
            "the title",
            2.2,
            LABEL + r"(?:[\w-]{1,20} ){0,2}(?:log|minutes|time ?sheet|register|protokoll)\b(?:[,:].{0,60})?[ \t]{0,8}$",
            within=8,
        ),
        clue(
            "lines that begin with a time", 2, r"^[ \t]{0,8}(?:\d{4}-\d\d-\d\d|\d\d?[.:]\d\d)[\s,;T.].{0,20}", least=5
        ),
        clue("rows of values", 1, r"^[^\n,;\t|]{0,60}(?:[,;\t|][^\n,;\t|]{0,60}){2,20}$", least=6),
    ),
}
"""What speaks for each type. Weights: 2 and more nearly decides, 1 counts, below 1 only helps."""

NAMES: Mapping[DocumentType, re.Pattern[str]] = {
    DocumentType.INVOICE: re.compile(r"invoice|rechnung", re.IGNORECASE),
    DocumentType.RESUME: re.compile(r"(?:^|[\W_])cv(?:[\W_]|$)|resume|lebenslauf", re.IGNORECASE),
    DocumentType.CONTRACT: re.compile(r"contract|agreement|vertrag|(?:^|[\W_])nda(?:[\W_]|$)", re.IGNORECASE),
    DocumentType.REPORT: re.compile(r"report|bericht", re.IGNORECASE),
    DocumentType.NOTICE: re.compile(r"notice|bekanntmachung", re.IGNORECASE),
    DocumentType.LETTER: re.compile(r"letter|(?:^|[\W_])brief(?:[\W_]|$)", re.IGNORECASE),
    DocumentType.RECORD: re.compile(r"(?:^|[\W_])log(?:[\W_]|$)|protokoll", re.IGNORECASE),
}
"""File names help a little: people call things what they are, but a scan is called `scan0001`."""
NAME_WEIGHT = 0.5
MEDIA: Mapping[str, tuple[DocumentType, float]] = {
    "text/csv": (DocumentType.RECORD, 3.6),
    "message/rfc822": (DocumentType.LETTER, 0.4),
}
